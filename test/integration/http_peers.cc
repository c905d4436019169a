#include "test/integration/http_peers.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>

namespace convoy::test {

namespace {

std::string valueOf(const Fields& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

// --- HTTP/1.1 ---

void H1Connection::send(const Message& message) {
  std::string text;
  const std::string status = valueOf(message.head, ":status");
  text = status.empty() ? valueOf(message.head, ":method") + " " + valueOf(message.head, ":path") +
                              " HTTP/1.1\r\nHost: " + valueOf(message.head, ":authority") + "\r\n"
                        : "HTTP/1.1 " + status + " X\r\n";
  for (const auto& [name, value] : message.head) {
    if (name[0] != ':') text += name + ": " + value + "\r\n";
  }
  const bool has_body = !message.body.empty() || !message.trailers.empty();
  if (has_body && message.chunked) {
    text += "Transfer-Encoding: chunked\r\n\r\n";
    char size[32];
    std::snprintf(size, sizeof(size), "%zx\r\n", message.body.size());
    if (!message.body.empty()) text += size + message.body + "\r\n";
    text += "0\r\n";
    for (const auto& [name, value] : message.trailers) text += name + ": " + value + "\r\n";
    text += "\r\n";
  } else {
    if (has_body) text += "Content-Length: " + std::to_string(message.body.size()) + "\r\n";
    text += "\r\n" + message.body;
  }
  socket_.send(text);
}

bool H1Connection::fill() {
  const std::string bytes = socket_.receive();
  buffer_ += bytes;
  if (bytes.empty()) broken_ = true;
  return !bytes.empty();
}

std::string H1Connection::line() {
  size_t end;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (!fill()) return {};
  }
  std::string text = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return text;
}

std::string H1Connection::take(size_t bytes) {
  while (buffer_.size() < bytes && fill()) {
  }
  std::string text = buffer_.substr(0, bytes);
  buffer_.erase(0, text.size());
  return text;
}

void H1Connection::receiveHead(H2Message* message) {
  const std::string start = line();
  if (start.starts_with("HTTP/1.1 ")) {
    message->head.emplace_back(":status", start.substr(9, 3));
  } else {
    const size_t target = start.find(' ');
    message->head.emplace_back(":method", start.substr(0, target));
    message->head.emplace_back(":path", start.substr(target + 1, start.rfind(' ') - target - 1));
  }
  for (std::string field = line(); !field.empty(); field = line()) {
    const size_t colon = field.find(": ");
    const std::string name = lower(field.substr(0, colon));
    message->head.emplace_back(name == "host" ? ":authority" : name, field.substr(colon + 2));
  }
}

void H1Connection::receiveChunks(H2Message* message) {
  while (true) {
    const size_t size = std::strtoul(line().c_str(), nullptr, 16);
    if (broken_) return;
    if (size == 0) break;
    message->body += take(size);
    line();
  }
  for (std::string field = line(); !field.empty(); field = line()) {
    const size_t colon = field.find(": ");
    message->trailers.emplace_back(lower(field.substr(0, colon)), field.substr(colon + 2));
  }
}

H2Message H1Connection::receive(bool bodiless) {
  H2Message message;
  receiveHead(&message);
  while (message.field(":status").substr(0, 1) == "1") {
    message.informational.push_back(std::stoi(message.field(":status")));
    message.head.clear();
    receiveHead(&message);
  }
  const std::string status = message.field(":status");
  if (bodiless || status == "204" || status == "304") {
    // Nothing follows.
  } else if (message.field("transfer-encoding") == "chunked") {
    receiveChunks(&message);
  } else if (!message.field("content-length").empty()) {
    const size_t size = std::stoul(message.field("content-length"));
    message.body = take(size);
  } else if (!status.empty()) {
    while (fill()) {
    }
    message.body = std::exchange(buffer_, {});
  }
  message.ended = !broken_;
  if (broken_) message.reset = NGHTTP2_CANCEL;
  return message;
}

bool H1Connection::untilClosed() {
  while (fill()) {
  }
  return true;
}

// --- both ---

TestClient::TestClient(Speaks speaks, const net::Address& proxy) {
  RawSocket socket = RawSocket::connectedTo(proxy);
  if (speaks == Speaks::Http1) {
    h1_ = std::make_unique<H1Connection>(std::move(socket));
  } else {
    h2_ = std::make_unique<H2Connection>(std::move(socket), H2Connection::Role::Client);
  }
}

void TestClient::send(const Message& request) {
  bodiless_ = valueOf(request.head, ":method") == "HEAD";
  if (h1_ != nullptr) return h1_->send(request);
  Fields head = request.head;
  if (!request.chunked) head.emplace_back("content-length", std::to_string(request.body.size()));
  id_ = h2_->request(head, request.body, request.trailers);
}

H2Message TestClient::receive() {
  if (h1_ != nullptr) return h1_->receive(bodiless_);
  h2_->untilEnded(id_);
  return h2_->message(id_);
}

void TestClient::giveUp() {
  h1_ != nullptr ? h1_->abort() : h2_->reset(id_, NGHTTP2_CANCEL);
}

H1Connection& TestUpstream::h1() {
  if (h1_ == nullptr) h1_ = std::make_unique<H1Connection>(listening_.accept());
  return *h1_;
}

H2Connection& TestUpstream::h2() {
  if (h2_ == nullptr) {
    h2_ = std::make_unique<H2Connection>(listening_.accept(), H2Connection::Role::Server);
  }
  return *h2_;
}

H2Message TestUpstream::receiveHead() {
  id_ = h2().nextStream();
  return h2().message(id_);
}

H2Message TestUpstream::receive() {
  if (speaks_ == Speaks::Http1) return h1().receive();
  receiveHead();
  h2_->untilEnded(id_);
  return h2_->message(id_);
}

void TestUpstream::inform(int status) {
  if (speaks_ == Speaks::Http2) return h2().sendInformational(id_, status);
  h1().sendRaw("HTTP/1.1 " + std::to_string(status) + " X\r\n\r\n");
}

void TestUpstream::answer(const Message& response) {
  if (speaks_ == Speaks::Http1) return h1().send(response);
  Fields head = response.head;
  if (!response.chunked) head.emplace_back("content-length", std::to_string(response.body.size()));
  h2().respond(id_, head, response.body, response.trailers);
}

void TestUpstream::breakOff() {
  speaks_ == Speaks::Http1 ? h1_.reset() : h2().reset(id_, NGHTTP2_INTERNAL_ERROR);
}

}  // namespace convoy::test
