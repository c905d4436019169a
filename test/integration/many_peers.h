#pragma once

// Many servers and many clients of a proxy in one test's thread, on blocking sockets that are only
// touched when they have something to tell: what is open and under way can be counted at any time,
// and servers answer when the test says so.

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/event/clock.h"
#include "test/common/proxy_harness.h"
#include "test/common/raw_socket.h"

namespace convoy::test {

inline constexpr char kAnswer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Which of the sockets can be read; waits a little if none can.
inline std::vector<bool> readable(const std::vector<const RawSocket*>& sockets) {
  std::vector<pollfd> watched;
  for (const RawSocket* socket : sockets) watched.push_back({socket->fd(), POLLIN, 0});
  ::poll(watched.data(), watched.size(), /*timeout=*/20);
  std::vector<bool> ready;
  for (const pollfd& one : watched) ready.push_back((one.revents & POLLIN) != 0);
  return ready;
}

[[nodiscard]] inline bool until(const std::function<bool()>& done) {
  const event::SystemClock clock;
  const event::MonotonicTime end = clock.monotonicNow() + std::chrono::seconds(60);
  while (!done()) {
    if (clock.monotonicNow() > end) return false;
  }
  return true;
}

// What health checks have come to goes from their thread to main, and from there to the workers.
// Each turn of advance() ends behind what the turn before has posted.
inline void untilEverybodyKnows(SimulatedClock& time) {
  for (int turn = 0; turn < 4; ++turn) time.advance(event::Duration::zero());
}

// All of them are down, or up and answer when the test says so. Health checks, those of /health,
// pass and are no requests.
class Servers {
 public:
  explicit Servers(size_t count) : listening_(count) {
    for (size_t i = 0; i < count; ++i) {
      places_.push_back(RawSocket::boundTo(net::Address::fromIp("127.0.0.1", 0).value()));
    }
  }
  std::vector<net::Address> addresses() const {
    std::vector<net::Address> addresses;
    for (const RawSocket& socket : places_) addresses.push_back(socket.localAddress());
    return addresses;
  }
  void comeUp() {
    for (size_t server = 0; server < listening_.size(); ++server) comeUp(server);
  }
  void comeUp(size_t server) {
    listening_[server] = RawSocket::listeningOn(places_[server].localAddress(), SOMAXCONN);
  }
  // Nobody listens until it comes up again, and whatever is open breaks.
  void die(size_t server) {
    listening_[server].close();
    for (const auto& connection : connections_) {
      if (connection->server == server) connection->socket.reset();
    }
    std::erase_if(connections_, [](const auto& connection) { return connection->socket.fd() < 0; });
  }
  // Takes connections and requests that have come.
  void take() {
    // Looked at in this order, a connection never seems to come before the one that made way for it
    // has gone.
    std::vector<const RawSocket*> sockets;
    std::vector<size_t> up;  // servers that are
    for (size_t i = 0; i < listening_.size(); ++i) {
      if (listening_[i].fd() < 0) continue;
      up.push_back(i);
      sockets.push_back(&listening_[i]);
    }
    for (const auto& connection : connections_) sockets.push_back(&connection->socket);
    const std::vector<bool> ready = readable(sockets);
    for (size_t i = up.size(); i < ready.size(); ++i) {
      if (!ready[i]) continue;
      Connection& connection = *connections_[i - up.size()];
      const std::string asked = connection.socket.receive();
      if (asked.starts_with("GET /health ")) {
        connection.socket.send(kAnswer);
        continue;
      }
      connection.asked = !asked.empty();
      if (!connection.asked) connection.socket.close();
    }
    std::erase_if(connections_, [](const auto& connection) { return connection->socket.fd() < 0; });
    most_ = std::max(most_, underWay());
    for (size_t i = 0; i < listening_.size(); ++i) most_open_ = std::max(most_open_, open(i));
    most_open_together_ = std::max(most_open_together_, connections_.size());
    // Counted from the next look on: one that comes now may have gone while it waited to be taken.
    for (size_t i = 0; i < up.size(); ++i) {
      if (!ready[i]) continue;
      connections_.push_back(std::make_unique<Connection>(listening_[up[i]].accept(), up[i]));
    }
  }
  // Connections of one server.
  size_t open(size_t server) const {
    size_t count = 0;
    for (const auto& connection : connections_) count += connection->server == server;
    return count;
  }
  // Of any server, ever.
  size_t mostOpen() const { return most_open_; }
  // Of all servers, ever.
  size_t mostOpenTogether() const { return most_open_together_; }
  size_t underWay() const {
    size_t count = 0;
    for (const auto& connection : connections_) count += connection->asked;
    return count;
  }
  // Waits until so many are.
  [[nodiscard]] bool comeTo(size_t under_way) {
    return until([&] {
      take();
      return underWay() == under_way;
    });
  }
  // At one server.
  size_t underWay(size_t server) const {
    size_t count = 0;
    for (const auto& connection : connections_) {
      count += connection->asked && connection->server == server;
    }
    return count;
  }
  size_t most() const { return most_; }
  void answerAll() {
    for (size_t server = 0; server < listening_.size(); ++server) answer(server);
  }
  void answer(size_t server, std::string_view with = kAnswer) {
    answer(server, underWay(server), with);
  }
  // No more than so many of its requests.
  void answer(size_t server, size_t most, std::string_view with = kAnswer) {
    for (const auto& connection : connections_) {
      if (most == 0) return;
      if (connection->server != server || !std::exchange(connection->asked, false)) continue;
      connection->socket.send(with);
      --most;
    }
  }

 private:
  struct Connection {
    Connection(RawSocket of, size_t index) : socket(std::move(of)), server(index) {}
    RawSocket socket;
    size_t server;  // index
    bool asked = false;
  };
  std::vector<RawSocket> places_;     // keep the ports while nobody listens on them
  std::vector<RawSocket> listening_;  // by server; none: it is down
  std::vector<std::unique_ptr<Connection>> connections_;
  size_t most_ = 0;  // requests under way at a time, ever
  size_t most_open_ = 0;
  size_t most_open_together_ = 0;
};

// Each with one request under way.
class Clients {
 public:
  Clients(const ProxyHarness& proxy, size_t count, const std::string& path = "/") {
    come(proxy, count, path);
  }
  // So many more.
  void come(const ProxyHarness& proxy, size_t count, const std::string& path = "/") {
    for (size_t i = 0; i < count; ++i) {
      waiting_.push_back(RawSocket::connectedTo(proxy.address()));
      waiting_.back().send("GET " + path + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    }
  }
  void take() {
    std::vector<const RawSocket*> sockets;
    for (const RawSocket& socket : waiting_) sockets.push_back(&socket);
    const std::vector<bool> ready = readable(sockets);
    for (size_t i = 0; i < ready.size(); ++i) {
      if (!ready[i]) continue;
      const int status = parseReply(waiting_[i].receiveAll()).status;
      ++(status == 200 ? served_ : status == 503 ? refused_ : odd_);
      waiting_[i].close();
    }
    std::erase_if(waiting_, [](const RawSocket& socket) { return socket.fd() < 0; });
  }
  // Waits until so many are.
  [[nodiscard]] bool areServed(size_t count) {
    return until([&] {
      take();
      return served_ == count;
    });
  }
  size_t served() const { return served_; }
  size_t refused() const { return refused_; }
  size_t odd() const { return odd_; }

 private:
  std::vector<RawSocket> waiting_;
  size_t served_ = 0, refused_ = 0, odd_ = 0;
};

}  // namespace convoy::test
