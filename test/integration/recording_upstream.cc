#include "test/integration/recording_upstream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/base/assert.h"
#include "test/proxy/http/h2_frames.h"

namespace convoy::test {

namespace {

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr std::string_view kOkToHead = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

// The proxy may have gone already: a broken request is no reason to fail.
void sendIfOpen(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

// Frames that name a stream are for this one.
std::string ofStream(std::string frames, uint32_t id) {
  constexpr size_t kHeader = 9;
  constexpr size_t kId = 5;
  const auto at = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(frames[i])); };
  for (size_t begin = 0; begin + kHeader <= frames.size();) {
    const bool of_stream = frames.compare(begin + kId, 4, std::string(4, '\0')) != 0;
    if (of_stream) frames.replace(begin + kId, 4, http::h2::number(id, 4));
    begin += kHeader + (at(begin) << 16 | at(begin + 1) << 8 | at(begin + 2));
  }
  return frames;
}

}  // namespace

RecordingUpstream::Peer::Peer(RawSocket accepted, Speaks speaks)
    : socket(std::move(accepted)), reader(WireReader(WireReader::Role::Requests)) {
  if (speaks == Speaks::Http2) reader.emplace<WireH2Reader>();
}

const std::vector<WireMessage>& RecordingUpstream::Peer::messages() const {
  return std::visit(
      [](const auto& r) -> const auto& { return r.messages(); }, reader);
}

const std::string& RecordingUpstream::Peer::error() const {
  return std::visit(
      [](const auto& r) -> const auto& { return r.error(); }, reader);
}

bool RecordingUpstream::Peer::inside() const {
  return std::visit([](const auto& r) { return r.inside(); }, reader);
}

void RecordingUpstream::Peer::feed(std::string_view bytes) {
  std::visit([bytes](auto& r) { r.feed(bytes); }, reader);
}

RecordingUpstream::RecordingUpstream(Speaks speaks)
    : speaks_(speaks), listening_(RawSocket::listening(128)), address_(listening_.localAddress()) {
  CONVOY_ASSERT(::pipe2(wake_, O_CLOEXEC | O_NONBLOCK) == 0);
  thread_ = std::thread([this] { run(); });
}

RecordingUpstream::~RecordingUpstream() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake();
  thread_.join();
  ::close(wake_[0]);
  ::close(wake_[1]);
}

void RecordingUpstream::wake() const {
  CONVOY_ASSERT(::write(wake_[1], "x", 1) == 1);
}

void RecordingUpstream::script(std::string answer, bool closes) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
  closes_ = closes;
}

Received RecordingUpstream::take() {
  std::future<Received> received;
  {
    const std::lock_guard lock(mutex_);
    received = asked_.emplace().get_future();
  }
  wake();
  return received.get();
}

void RecordingUpstream::run() {
  while (true) {
    serveReady(-1);
    std::optional<std::promise<Received>> asked;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      asked.swap(asked_);
    }
    if (!asked.has_value()) continue;
    while (serveReady(0)) {
    }
    for (const Peer& peer : peers_) {
      if (peer.inside()) ++received_.unfinished;
    }
    asked->set_value(std::exchange(received_, {}));
  }
}

// False if nothing was ready.
bool RecordingUpstream::serveReady(int timeout_ms) {
  std::vector<pollfd> polled = {{listening_.fd(), POLLIN, 0}, {wake_[0], POLLIN, 0}};
  for (const Peer& peer : peers_) polled.push_back({peer.socket.fd(), POLLIN, 0});
  if (::poll(polled.data(), polled.size(), timeout_ms) <= 0) return false;
  // From behind, since those that are over are taken out.
  for (size_t i = peers_.size(); i > 0; --i) {
    if (polled[i + 1].revents != 0 && !readFrom(peers_[i - 1])) {
      peers_.erase(peers_.begin() + static_cast<ptrdiff_t>(i) - 1);
    }
  }
  if (polled[0].revents != 0) peers_.emplace_back(listening_.accept(), speaks_);
  char drained[64];
  while (::read(wake_[0], drained, sizeof(drained)) > 0) {
  }
  return true;
}

bool RecordingUpstream::readFrom(Peer& peer) {
  const std::string bytes = peer.socket.receive();
  if (bytes.empty()) {
    if (peer.inside()) ++received_.broken;
    return false;
  }
  peer.feed(bytes);
  if (auto* const http2 = std::get_if<WireH2Reader>(&peer.reader)) {
    sendIfOpen(peer.socket.fd(), http2->takeOutput());
    received_.broken += http2->takeResets();
  }
  if (!peer.error().empty()) {
    received_.errors.push_back(peer.error());
    return false;
  }
  for (; peer.answered < peer.messages().size(); ++peer.answered) {
    received_.requests.push_back(peer.messages()[peer.answered]);
    if (!answer(peer)) return false;
  }
  return true;
}

bool RecordingUpstream::answer(Peer& peer) {
  if (const auto* const http2 = std::get_if<WireH2Reader>(&peer.reader)) {
    return answerHttp2(peer, *http2);
  }
  const std::string& start = received_.requests.back().start;
  if (start.find(" /scripted ") == std::string::npos) {
    sendIfOpen(peer.socket.fd(), start.rfind("HEAD ", 0) == 0 ? kOkToHead : kOk);
    return true;
  }
  const std::lock_guard lock(mutex_);
  sendIfOpen(peer.socket.fd(), answer_);
  return !closes_;
}

bool RecordingUpstream::answerHttp2(const Peer& peer, const WireH2Reader& reader) {
  namespace h2 = http::h2;
  const uint32_t id = reader.streamOf(peer.answered);
  const std::string& start = received_.requests.back().start;
  if (start.find(" /scripted ") == std::string::npos) {
    const bool bodiless = start.rfind("HEAD ", 0) == 0;
    const h2::Fields ok = {{":status", "200"}, {"content-length", "2"}};
    sendIfOpen(peer.socket.fd(), bodiless
                                     ? h2::headers(id, ok, h2::kEndStream)
                                     : h2::headers(id, ok, 0) + h2::data(id, "ok", h2::kEndStream));
    return true;
  }
  const std::lock_guard lock(mutex_);
  sendIfOpen(peer.socket.fd(), ofStream(answer_, id));
  return !closes_;
}

}  // namespace convoy::test
