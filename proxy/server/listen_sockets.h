#pragma once

// Main's listening sockets: which address is open, which listeners have it in their configuration,
// and which one accepts on it.
//
// There is one socket per address and worker (SO_REUSEPORT), for the whole life of the address:
// closing one would reset what waits in its accept queue. So a new version of a listener is swapped
// in behind its sockets, and a listener that takes an address over from one that goes away gets the
// sockets themselves. A socket is closed when nobody has its address any more and every worker has
// stopped accepting on it; claimed again before that, it stays. Thread: main's.

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "proxy/event/loop.h"
#include "proxy/net/listen_socket.h"
#include "proxy/net/spec.h"
#include "proxy/server/connection_limit.h"
#include "proxy/server/worker.h"

namespace convoy::server {

class ListenSockets {
 public:
  // Everything outlives this object, which the workers' threads must not be running any more when
  // it is destroyed.
  // `descriptors`: of clients; each socket takes the place of one.
  ListenSockets(event::Loop& main, std::vector<Worker*> workers, net::AdoptedSockets& adopted,
                std::shared_ptr<ConnectionLimit> descriptors)
      : main_(main),
        workers_(std::move(workers)),
        adopted_(adopted),
        descriptors_(std::move(descriptors)) {}
  ListenSockets(const ListenSockets&) = delete;
  ListenSockets& operator=(const ListenSockets&) = delete;

  // Sees to it that the listener's addresses are open, without accepting. An address that another
  // listener has is refused, unless that one is `leaving`. An error leaves things as they were.
  absl::Status claim(const net::ListenerSpec& listener, const std::set<std::string>& leaving);
  // Accepts for the listener on all its addresses, and gives up those that are not its any more.
  // REQUIRES: claimed; the workers were told of the listener.
  void serve(const net::ListenerSpec& listener);
  // The end is near: nobody begins to connect any more, so that releaseAll() resets nobody. Where
  // the kernel does not let us (ListenSocket::dropNewHandshakes), it does nothing.
  void lastCall();
  // Stops accepting for it, and gives its addresses up.
  void release(const std::string& listener);
  // Closes all, for good: claim() and serve() change nothing from here on.
  // REQUIRES: the workers were told to stop accepting.
  void releaseAll();

  struct Bound {
    net::Address configured;
    net::Address real;  // a port that the kernel chose is filled in
  };
  std::vector<Bound> boundBy(const std::string& listener) const;

 private:
  struct Socket {
    Socket(net::WorkerSockets opened, std::shared_ptr<ConnectionLimit> places);
    ~Socket() { descriptors->putBack(count); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    const std::shared_ptr<ConnectionLimit> descriptors;
    uint64_t count = 0;
    net::Address configured;
    net::WorkerSockets per_worker;
    std::set<std::string> users;
    std::string server;  // the user that accepts; empty: nobody
    int closings = 0;    // on their way through the workers
  };
  using Sockets = std::vector<std::shared_ptr<Socket>>;

  absl::Status claimOne(const net::ListenerSpec& listener, const net::Address& address,
                        const std::set<std::string>& leaving);
  std::shared_ptr<Socket> find(const std::string& listener, const net::Address& address) const;
  void handTo(const std::string& listener, const std::shared_ptr<Socket>& socket);
  void giveUp(const std::string& listener, const std::shared_ptr<Socket>& socket);
  void closeBehindWorkers(const std::shared_ptr<Socket>& socket);

  event::Loop& main_;
  const std::vector<Worker*> workers_;
  net::AdoptedSockets& adopted_;
  const std::shared_ptr<ConnectionLimit> descriptors_;
  bool ended_ = false;
  const std::shared_ptr<Sockets> sockets_ = std::make_shared<Sockets>();
};

}  // namespace convoy::server
