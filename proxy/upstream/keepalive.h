#pragma once

// Finds out that the other end of a connection is gone though nobody has said so: a machine without
// power, a firewall that has forgotten the connection. HTTP/2 only, whose PING a peer answers
// whatever it is busy with (RFC 9113 6.7).
//
// Every `interval`, and up to `jitter_percent` more, it looks whether anything was read since it
// looked last; if not, it sends a PING. If nothing is read within `timeout` after that, the
// connection is silent, unless the loop was held up and what came meanwhile is read now. A peer
// that takes bytes that were written before the PING is slow, not gone, and gets another `timeout`.
// So a dead connection is found within two intervals and a
// time-out, and nothing is done when bytes are read or requests sent.
//
// It asks as little as it can, because servers of gRPC take PINGs for an attack: after the third
// that comes within five minutes of another while the server has sent no headers and no data, they
// close the connection with GOAWAY, ENHANCE_YOUR_CALM, "too_many_pings". Hence no PING on a
// connection that is heard of, and in one silence kPingsAtOnce of them, then one every kCalm.
// Between two requests such servers allow one in two hours: with an idle_interval, a connection
// without streams is asked when the next stream starts on it, not before.
//
// Owner: the connection. Thread: its worker's.

#include <cstdint>

#include "proxy/event/deadlines.h"
#include "proxy/event/loop.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

// The connection that is watched.
class KeepaliveLink {
 public:
  virtual uint64_t reads() const = 0;
  virtual uint32_t streams() const = 0;
  // net::Connection's; system calls.
  virtual uint32_t acknowledged() = 0;
  virtual uint64_t unacknowledged() = 0;
  virtual void sendPing() = 0;
  // Nobody is there. Called once, last thing: it may destroy the Keepalive.
  virtual void onSilent() = 0;

 protected:
  ~KeepaliveLink() = default;
};

class Keepalive {
 public:
  static constexpr uint32_t kPingsAtOnce = 2;
  // More than gRPC's five minutes, by what two PINGs may be late by.
  static constexpr event::Duration kCalm = std::chrono::minutes(6);

  // Starts to watch. Loop and link outlive it.
  Keepalive(event::Loop& loop, const KeepaliveSpec& spec, KeepaliveLink& link);
  Keepalive(const Keepalive&) = delete;
  Keepalive& operator=(const Keepalive&) = delete;

  // A stream is about to start on the connection, which was idle for so long.
  void onUse(event::Duration idle_for) {
    if (asksOnUse() && idle_for >= spec_.idle_interval && !waiting_) askOnUse();
  }

 private:
  bool asksOnUse() const { return spec_.idle_interval.count() > 0; }
  bool heard();
  bool mayAsk() const;
  void askOnUse();
  void ask();
  void waitForAnswer();
  void judge();
  void look();
  void arm(event::Duration after);
  void armForNextLook(event::Duration passed);
  static void onDeadline(void* self);

  event::Loop& loop_;
  const KeepaliveSpec spec_;
  KeepaliveLink& link_;
  event::Deadline deadline_;
  bool waiting_ = false;  // for what is read after a PING
  bool late_ = false;     // past the time-out, for what the loop has not read yet
  event::MonotonicTime due_;
  uint32_t asked_ = 0;  // PINGs of this silence
  uint64_t seen_;       // reads() of the last look
  uint64_t owed_ = 0;   // not acknowledged before the PING
  uint64_t taken_ = 0;  // of those, since then
  uint32_t acknowledged_ = 0;
  event::MonotonicTime asked_at_;
};

}  // namespace convoy::upstream
