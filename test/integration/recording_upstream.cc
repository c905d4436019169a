#include "test/integration/recording_upstream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proxy/base/assert.h"

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

}  // namespace

RecordingUpstream::RecordingUpstream()
    : listening_(RawSocket::listening(128)), address_(listening_.localAddress()) {
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
      if (peer.reader.inside()) ++received_.unfinished;
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
  if (polled[0].revents != 0) peers_.emplace_back(listening_.accept());
  char drained[64];
  while (::read(wake_[0], drained, sizeof(drained)) > 0) {
  }
  return true;
}

bool RecordingUpstream::readFrom(Peer& peer) {
  const std::string bytes = peer.socket.receive();
  if (bytes.empty()) {
    if (peer.reader.inside()) ++received_.broken;
    return false;
  }
  peer.reader.feed(bytes);
  if (!peer.reader.error().empty()) {
    received_.errors.push_back(peer.reader.error());
    return false;
  }
  for (; peer.answered < peer.reader.messages().size(); ++peer.answered) {
    received_.requests.push_back(peer.reader.messages()[peer.answered]);
    if (!answer(peer)) return false;
  }
  return true;
}

bool RecordingUpstream::answer(Peer& peer) {
  const std::string& start = received_.requests.back().start;
  if (start.find(" /scripted ") == std::string::npos) {
    sendIfOpen(peer.socket.fd(), start.rfind("HEAD ", 0) == 0 ? kOkToHead : kOk);
    return true;
  }
  const std::lock_guard lock(mutex_);
  sendIfOpen(peer.socket.fd(), answer_);
  return !closes_;
}

}  // namespace convoy::test
