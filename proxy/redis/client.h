#pragma once

// A Redis client on a worker's loop: one connection, on which commands follow one another without
// waiting for answers. Made for questions that a request waits for, so it answers soon or not at
// all: a command has a time-out; while the server is known to be away commands are not sent
// (send() says so at once), so that only the first of many requests waits; and no more than
// kMostOutstanding are on their way. It never repeats a command.
//
// It connects when the first command needs it, and says AUTH (if there is a password), SELECT (if
// there is a database) and PING: the server is there once all were answered. Until then commands
// wait, each for its own time-out, unless the attempt before has failed. After a failure it tries
// again by itself, after a random time (event/backoff.h). A connection that the server closes while
// no command is under way has not failed: the next command opens another.
//
// A command that is not answered in time stalls the connection: it stays, but nothing is sent until
// all that was sent is answered, or kStallLimit has passed and the connection is given up.
//
// Owner and thread: the loop's. No secret is logged.

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>

#include "proxy/event/backoff.h"
#include "proxy/event/deadlines.h"
#include "proxy/event/loop.h"
#include "proxy/net/byte_queue.h"
#include "proxy/net/connection.h"
#include "proxy/redis/command.h"
#include "proxy/redis/dialer.h"
#include "proxy/redis/metrics.h"
#include "proxy/redis/reply_reader.h"
#include "proxy/redis/spec.h"

namespace convoy::redis {

class Call;
class Client;

// A command that was sent, or waits to be.
struct Outstanding {
  Outstanding(Client& client, Call* call);
  Outstanding(const Outstanding&) = delete;
  ~Outstanding();

  Client& client;
  Call* call;  // null: nobody waits
  event::Deadline deadline;
};

// Who waits for the answer to a command. Destroying it, or giveUp(), loses interest; the command
// may be carried out all the same.
class Call {
 public:
  Call() = default;
  virtual ~Call() { giveUp(); }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  // Once, unless given up; never from inside its own send(). That of another command may find that
  // the server has moved, and everything that waits is lost then. The text is good until the client
  // is used again.
  virtual void onReply(const Reply& reply) = 0;

  bool waits() const { return outstanding_ != nullptr; }
  void giveUp();

 private:
  friend class Client;
  Outstanding* outstanding_ = nullptr;
};

class Client final : private net::ConnectionHandler {
 public:
  static constexpr size_t kMostOutstanding = 1024;
  static constexpr event::Duration kStallLimit = std::chrono::seconds(1);
  // Unused for so long, it has no connection.
  static constexpr event::Duration kIdleTime = std::chrono::minutes(10);
  static constexpr event::Duration kBackoffBase = std::chrono::milliseconds(50);
  static constexpr event::Duration kBackoffCap = std::chrono::seconds(5);

  enum class State : uint8_t {
    Idle,        // no connection; the next command opens one
    Connecting,  // until the server has answered the first words
    Ready,       // commands are sent
    Stalled,     // an answer is late: none is sent
    Down,        // waits for the time of the next attempt
  };

  Client(event::Loop& loop, ClientSpec spec, std::unique_ptr<Dialer> dialer,
         ClientMetrics& metrics);
  // Calls that wait are told that their command is lost.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // False: it was not sent, and nobody is told anything. call: who is to be told, null: nobody. A
  // call that waits for another command gives that up: answers come in the order of sending.
  [[nodiscard]] bool send(Words words, Call* call);

  State state() const { return state_; }
  // It has no connection, and nobody has asked for long.
  bool unused() const { return state_ == State::Idle && loop_.now() - last_used_ >= kIdleTime; }
  const ClientSpec& spec() const { return spec_; }
  ClientMetrics& metrics() const { return metrics_; }
  size_t outstanding() const { return outstanding_.size(); }

 private:
  friend struct Outstanding;

  void onConnected() override;
  void onRead(std::string_view bytes) override;
  void onEndOfStream() override { onServerClosed("it closed the connection"); }
  void onClosed(net::CloseReason reason) override;
  void onWriteQueueAboveHigh() override {}
  void onWriteQueueBelowLow() override {}

  void transition(State to);
  void connect();
  void introduce(Words words);
  void onIntroduced();
  bool onAnswer(const Reply& reply);
  void onServerClosed(std::string_view why);
  void onTimer();
  void onTooLate(Outstanding& outstanding);
  static void tell(Outstanding& outstanding, const Reply& reply);
  void disconnect();
  void leave();
  void lose(std::string_view why);
  void noteFailure(std::string_view why);

  event::Loop& loop_;
  const ClientSpec spec_;
  const std::unique_ptr<Dialer> dialer_;
  ClientMetrics& metrics_;
  event::DeadlineQueue& timeouts_;
  event::Timer timer_;  // of the state
  event::Backoff backoff_{kBackoffBase, kBackoffCap};
  State state_ = State::Idle;
  bool failing_ = false;    // since the last time that the server was there
  bool connected_ = false;  // the present connection is one
  bool dialed_ = false;     // ever
  uint64_t connections_ = 0;
  size_t introductions_ = 0;  // words that are not answered yet
  event::MonotonicTime last_used_{};
  std::unique_ptr<net::Connection> connection_;
  std::optional<ReplyReader> reader_;
  net::ByteQueue waiting_;  // commands, until there is a server
  std::deque<Outstanding> outstanding_;
};

}  // namespace convoy::redis
