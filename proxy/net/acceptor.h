#pragma once

// Takes the connections of one listening socket on a worker's loop, and hands over their
// descriptors. At most kPerTurn per turn, so that a burst does not starve the connections that
// exist. When the process or the machine is out of descriptors or memory and somebody waits,
// accepting pauses for kExhaustedPause instead of spinning; both are counted. It pauses likewise,
// until setHasRoom() says otherwise, when its owner wants to keep what is left for other things.
//
// The socket stays its owner's, and open as long as the Acceptor lives. Destruction ends accepting
// at once; connections that wait in the socket's queue stay there.

#include <uv.h>

#include <chrono>
#include <functional>
#include <memory>

#include "proxy/event/loop.h"
#include "proxy/net/address.h"
#include "proxy/net/listen_socket.h"
#include "proxy/observe/metrics.h"

namespace convoy::net {

struct AcceptMetrics {
  observe::Counter accepted;
  observe::Counter refused;
  observe::Counter errors;
  observe::Counter exhausted;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("downstream_cx_accepted", self.accepted, "Connections accepted");
    visitor("downstream_cx_overflow", self.refused,
            "Connections closed at once because a connection limit was reached");
    visitor("downstream_accept_error", self.errors, "Accepts that failed");
    visitor(
        "downstream_accept_paused", self.exhausted,
        "Times accepting paused with a connection waiting, because descriptors or memory had run "
        "out");
  }
};

class Acceptor {
 public:
  static constexpr int kPerTurn = 64;
  static constexpr int kMostQueued = 4096;  // of takeQueued()
  static constexpr event::Duration kExhaustedPause = std::chrono::milliseconds(100);

  // The descriptor is the callee's; local is the address that the client reached.
  using OnAccept = std::function<void(int fd, const Address& remote, const Address& local)>;
  // Asked once per connection, with it accepted already; false closes it at once.
  using Admit = std::function<bool()>;

  Acceptor(event::Loop& loop, const ListenSocket& socket, AcceptMetrics& metrics,
           OnAccept on_accept);
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  void setAdmit(Admit admit) { admit_ = std::move(admit); }
  // Asked before each connection whether one more may be taken.
  void setHasRoom(std::function<bool()> has_room) { has_room_ = std::move(has_room); }
  // Told each time that accepting pauses for want of descriptors or memory, with errno; EMFILE if
  // setHasRoom()'s said no.
  void setOnExhausted(std::function<void(int error)> callback) {
    on_exhausted_ = std::move(callback);
  }

  // Leaves connections in the socket's queue. Counted: accepting goes on when as many resumes as
  // pauses were called. May be called from inside on_accept, with effect from the next connection.
  void pause();
  void resume();
  bool accepting() const { return pauses_ == 0; }
  // Takes what waits in the socket's queue, at once, without the bound of a turn, though accepting
  // may pause and setHasRoom() say no: before the socket is closed, which would reset it.
  void takeQueued();

 private:
  // libuv needs it a little longer than we do.
  struct Handle {
    uv_poll_t poll;
    Acceptor* owner;
  };

  void watch();
  void acceptUpTo(int most, bool in_pauses);
  int acceptOne();
  void onError(int error);
  void waitForRoom(int error);
  void lookForRoom();
  bool hasRoom() const { return !has_room_ || has_room_(); }

  event::Loop& loop_;
  const int listen_fd_;
  const bool ask_local_;
  const Address local_;
  AcceptMetrics& metrics_;
  const OnAccept on_accept_;
  Admit admit_;
  std::function<bool()> has_room_;
  std::function<void(int error)> on_exhausted_;
  Handle* const handle_;
  event::Timer exhausted_timer_;
  int pauses_ = 0;
};

}  // namespace convoy::net
