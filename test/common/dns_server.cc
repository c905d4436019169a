#include "test/common/dns_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "proxy/base/assert.h"
#include "test/common/test_loop.h"

namespace convoy::test {

namespace {

constexpr size_t kHeaderBytes = 12;
constexpr uint16_t kTypeA = 1, kTypeCname = 5, kTypeAaaa = 28;

void put16(std::string& out, uint32_t value) {
  out.push_back(static_cast<char>(value >> 8 & 0xff));
  out.push_back(static_cast<char>(value & 0xff));
}

void put32(std::string& out, uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}

void putName(std::string& out, std::string_view name) {
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    out.push_back(static_cast<char>(label.size()));
    out += label;
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  out.push_back('\0');
}

void putRecord(std::string& out, std::string_view owner, uint16_t type, uint32_t ttl,
               std::string_view data) {
  putName(out, owner);
  put16(out, type);
  put16(out, 1);
  put32(out, ttl);
  put16(out, static_cast<uint32_t>(data.size()));
  out += data;
}

struct Question {
  std::string name;  // in lower case
  uint16_t type = 0;
  size_t end = 0;
};

Question readQuestion(std::string_view query) {
  Question question;
  size_t at = kHeaderBytes;
  while (at < query.size() && query[at] != 0) {
    const auto length = static_cast<size_t>(query[at]);
    if (!question.name.empty()) question.name += '.';
    question.name += absl::AsciiStrToLower(
        absl::string_view(query.data() + at + 1, std::min(length, query.size() - at - 1)));
    at += length + 1;
  }
  CONVOY_ASSERT(at + 5 <= query.size());
  question.type = static_cast<uint16_t>(static_cast<uint8_t>(query[at + 1]) << 8 |
                                        static_cast<uint8_t>(query[at + 2]));
  question.end = at + 5;
  return question;
}

bool readAll(int fd, char* to, size_t size) {
  while (size > 0) {
    const ssize_t got = ::read(fd, to, size);
    if (got <= 0) return false;
    to += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

// Both on one port, which another process may have over UDP.
void bindBoth(RawSocket* tcp, RawSocket* udp) {
  for (int i = 0; i < 100; ++i) {
    *tcp = RawSocket::listening();
    *udp = RawSocket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_storage storage{};
    const socklen_t length = tcp->localAddress().toSockaddr(&storage);
    if (::bind(udp->fd(), reinterpret_cast<sockaddr*>(&storage), length) == 0) return;
  }
  CONVOY_ASSERT(false);
}

}  // namespace

DnsServer::DnsServer() {
  bindBoth(&tcp_, &udp_);
  address_ = tcp_.localAddress();
  thread_ = std::thread([this] { serve(); });
}

DnsServer::~DnsServer() {
  stopping_ = true;
  // Wakes the thread.
  RawSocket::connectedTo(address_).close();
  thread_.join();
}

void DnsServer::set(const std::string& name, DnsReply reply) {
  const std::lock_guard lock(mutex_);
  replies_[name] = std::move(reply);
}

int DnsServer::questions(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = questions_.find(name);
  return found == questions_.end() ? 0 : found->second;
}

bool DnsServer::untilAsked(const std::string& name, int times) {
  std::unique_lock lock(mutex_);
  return asked_.wait_for(lock, kPatience, [&] { return questions_[name] >= times; });
}

std::string DnsServer::asResolver() const {
  return absl::StrCat(
      "{name: cares, typed_config: {'@type': type.googleapis.com/"
      "envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig, resolvers: "
      "[{socket_address: {address: ",
      address_.ipText(), ", port_value: ", address_.port(), "}}]}}");
}

void DnsServer::serve() {
  while (!stopping_) {
    pollfd fds[] = {{udp_.fd(), POLLIN, 0}, {tcp_.fd(), POLLIN, 0}};
    if (::poll(fds, 2, -1) < 0) continue;
    if (fds[0].revents != 0) serveUdp();
    if (fds[1].revents != 0) serveTcp();
  }
}

void DnsServer::serveUdp() {
  char buffer[1500];
  sockaddr_storage from{};
  socklen_t length = sizeof(from);
  const ssize_t got =
      ::recvfrom(udp_.fd(), buffer, sizeof(buffer), 0, reinterpret_cast<sockaddr*>(&from), &length);
  if (got < static_cast<ssize_t>(kHeaderBytes)) return;
  const std::string reply = answer({buffer, static_cast<size_t>(got)}, /*tcp=*/false);
  if (reply.empty()) return;
  ::sendto(udp_.fd(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
}

void DnsServer::serveTcp() {
  const RawSocket connection = tcp_.accept();
  if (stopping_) return;
  uint8_t prefix[2];
  if (!readAll(connection.fd(), reinterpret_cast<char*>(prefix), 2)) return;
  std::string query(static_cast<size_t>(prefix[0] << 8 | prefix[1]), '\0');
  if (!readAll(connection.fd(), query.data(), query.size())) return;
  ++over_tcp_;
  const std::string reply = answer(query, /*tcp=*/true);
  if (reply.empty()) return;
  std::string framed;
  put16(framed, static_cast<uint32_t>(reply.size()));
  connection.send(framed + reply);
}

std::string DnsServer::answer(std::string_view query, bool tcp) {
  const Question question = readQuestion(query);
  DnsReply reply{.rcode = 3};
  {
    const std::lock_guard lock(mutex_);
    ++questions_[question.name];
    asked_.notify_all();
    const auto found = replies_.find(question.name);
    if (found != replies_.end()) {
      reply = found->second;
      found->second.lost = std::max(0, reply.lost - 1);
    }
  }
  if (reply.silent || reply.lost > 0) return {};
  const bool cut = reply.truncated && !tcp;
  std::string records;
  uint32_t count = 0;
  const std::string& owner = reply.cname.empty() ? question.name : reply.cname;
  const bool wants_v4 = question.type == kTypeA, wants_v6 = question.type == kTypeAaaa;
  const auto& texts = wants_v4 ? reply.v4 : reply.v6;
  if (!cut && reply.rcode == 0 && (wants_v4 || wants_v6)) {
    if (!reply.cname.empty()) {
      std::string target;
      putName(target, reply.cname);
      putRecord(records, question.name, kTypeCname, reply.cname_ttl, target);
      ++count;
    }
    for (const std::string& text : texts) {
      putRecord(records, owner, question.type, reply.ttl, net::Address::fromIp(text, 0)->ipBytes());
      ++count;
    }
  }
  std::string out(query.substr(0, 2));
  if (reply.other_id) out[0] = static_cast<char>(out[0] ^ 0x55);
  put16(out, 0x8180u | (cut ? 0x0200u : 0u) | static_cast<uint32_t>(reply.rcode));
  put16(out, 1);
  put16(out, count);
  put32(out, 0);
  if (!reply.garbage.empty()) return out + reply.garbage;
  if (reply.other_question) {
    putName(out, "other.example");
    put16(out, question.type);
    put16(out, 1);
  } else {
    out += query.substr(kHeaderBytes, question.end - kHeaderBytes);
  }
  return out + records;
}

}  // namespace convoy::test
