// The floor of the benchmark: a relay that parses nothing.
//
//   relay LISTEN_PORT BACKEND_PORT
//
// One thread, one epoll. Every client connection on 127.0.0.1 gets one connection to the backend;
// bytes are copied both ways through one buffer. What it costs, any proxy with one read and one
// write per message costs too. SIGTERM ends it at once.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace convoy::tools::benchmark {
namespace {

constexpr int kBacklog = 4096;
constexpr int kEventsPerWait = 256;
constexpr size_t kBufferBytes = 64 * 1024;

// One side of a relayed connection.
struct Side {
  int fd = -1;
  Side* peer = nullptr;
  std::string unsent;  // bytes for `fd` that its socket did not take
  bool dead = false;   // closed; freed after the current batch of events
};

class Relay {
 public:
  Relay(int listener, sockaddr_in backend)
      : epoll_(epoll_create1(EPOLL_CLOEXEC)), listener_(listener), backend_(backend) {
    watch(listener_, nullptr, EPOLLIN, EPOLL_CTL_ADD);
  }

  [[noreturn]] void run();

 private:
  void watch(int fd, Side* side, uint32_t events, int operation) const;
  void acceptAll();
  void serve(Side* side, uint32_t events);
  void copy(Side* from);
  void sendRest(Side* side);
  void close(Side* side);

  const int epoll_;
  const int listener_;
  const sockaddr_in backend_;
  std::vector<Side*> dead_;
  char buffer_[kBufferBytes];
};

void setNoDelay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void Relay::run() {
  epoll_event events[kEventsPerWait];
  while (true) {
    const int count = epoll_wait(epoll_, events, kEventsPerWait, -1);
    for (int i = 0; i < count; ++i) {
      auto* side = static_cast<Side*>(events[i].data.ptr);
      if (side == nullptr) {
        acceptAll();
      } else if (!side->dead) {
        serve(side, events[i].events);
      }
    }
    for (const Side* side : dead_) delete side;
    dead_.clear();
  }
}

void Relay::watch(int fd, Side* side, uint32_t events, int operation) const {
  epoll_event event = {};
  event.events = events;
  event.data.ptr = side;
  epoll_ctl(epoll_, operation, fd, &event);
}

void Relay::acceptAll() {
  while (true) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client < 0) return;
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // Blocking: the backend is on the loopback, and it keeps the relay simple.
    if (server < 0 ||
        connect(server, reinterpret_cast<const sockaddr*>(&backend_), sizeof(backend_)) != 0) {
      if (server >= 0) ::close(server);
      ::close(client);
      continue;
    }
    setNoDelay(client);
    setNoDelay(server);
    auto* down = new Side;
    auto* up = new Side;
    down->fd = client;
    up->fd = server;
    down->peer = up;
    up->peer = down;
    watch(client, down, EPOLLIN, EPOLL_CTL_ADD);
    watch(server, up, EPOLLIN, EPOLL_CTL_ADD);
  }
}

void Relay::serve(Side* side, uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    sendRest(side);
  } else if (side->peer->unsent.empty()) {
    copy(side);
  } else if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    close(side);
  }
}

// One read, one write.
void Relay::copy(Side* from) {
  const ssize_t size = recv(from->fd, buffer_, sizeof(buffer_), MSG_DONTWAIT);
  if (size <= 0) {
    if (size == 0 || errno != EAGAIN) close(from);
    return;
  }
  Side* const to = from->peer;
  ssize_t sent = send(to->fd, buffer_, static_cast<size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent == size) return;
  if (sent < 0 && errno != EAGAIN) {
    close(to);
    return;
  }
  sent = sent < 0 ? 0 : sent;
  to->unsent.assign(buffer_ + sent, static_cast<size_t>(size - sent));
  watch(to->fd, to, EPOLLOUT, EPOLL_CTL_MOD);
  watch(from->fd, from, 0, EPOLL_CTL_MOD);
}

void Relay::sendRest(Side* side) {
  const ssize_t sent =
      send(side->fd, side->unsent.data(), side->unsent.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN) close(side);
    return;
  }
  side->unsent.erase(0, static_cast<size_t>(sent));
  if (!side->unsent.empty()) return;
  // The peer's reading waited for this; `side` may itself still wait for the peer to send.
  Side* const peer = side->peer;
  const bool peer_waits = !peer->unsent.empty();
  watch(side->fd, side, peer_waits ? 0U : EPOLLIN, EPOLL_CTL_MOD);
  watch(peer->fd, peer, peer_waits ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
}

// Ends both sides; bytes that were not sent are lost, which no measurement minds.
void Relay::close(Side* side) {
  for (Side* one : {side, side->peer}) {
    one->dead = true;
    ::close(one->fd);
    dead_.push_back(one);
  }
}

sockaddr_in loopback(const char* port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(std::atoi(port)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int runMain(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: relay LISTEN_PORT BACKEND_PORT\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const sockaddr_in address = loopback(argv[1]);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(listener, kBacklog) != 0) {
    std::perror("relay: cannot listen");
    return 1;
  }
  auto* relay = new Relay(listener, loopback(argv[2]));
  relay->run();
}

}  // namespace
}  // namespace convoy::tools::benchmark

int main(int argc, char** argv) {
  return convoy::tools::benchmark::runMain(argc, argv);
}
