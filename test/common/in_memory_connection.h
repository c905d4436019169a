#pragma once

// Two net::Connections joined in memory, on one loop: the states, queues and callbacks of a real
// one (they are the same code) over two bounded pipes that behave as a kernel's socket pair does,
// resets included. Bytes travel in turns of their own, so a test drives the loop
// (TestLoop::runReady, runUntil).

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "proxy/net/connection.h"

namespace convoy::test {

class InMemoryConnection final : public net::Connection {
 public:
  struct Options {
    size_t pipe_bytes = 256 * 1024;     // what one direction takes before EAGAIN
    size_t max_read_bytes = 64 * 1024;  // how much one read shows; 1 splits everything
    net::Address first = address("192.0.2.1:1111");
    net::Address second = address("192.0.2.2:2222");
  };
  using Pair = std::pair<std::unique_ptr<net::Connection>, std::unique_ptr<net::Connection>>;

  // Both connected. The first is the connecting side: its handler gets onConnected().
  static Pair pair(event::Loop& loop, net::ConnectionHandler& first, net::ConnectionHandler& second,
                   const Options& options);
  static Pair pair(event::Loop& loop, net::ConnectionHandler& first,
                   net::ConnectionHandler& second) {
    return pair(loop, first, second, Options());
  }
  // A connect that nobody answers: it fails with this errno.
  static std::unique_ptr<net::Connection> refused(event::Loop& loop,
                                                  net::ConnectionHandler& handler, int error);

  static net::Address address(std::string_view text);

  static void operator delete(InMemoryConnection* self, std::destroying_delete_t);

 private:
  // One direction, shared by its two ends.
  struct Pipe {
    size_t size() const { return bytes.size() - read; }
    std::string bytes;
    size_t read = 0;             // of bytes
    bool ended = false;          // FIN
    bool reset = false;          // RST, found after the bytes
    bool reader_closed = false;  // what is sent now comes back as a reset
  };
  // The way from a posted task back to an end that may be gone.
  struct Anchor {
    InMemoryConnection* connection;
  };

  InMemoryConnection(event::Loop& loop, net::ConnectionHandler& handler, State state,
                     const net::Address& remote, const net::Address& local, const Options& options,
                     std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out);
  ~InMemoryConnection() override = default;

  ssize_t sendSome(const iovec* vectors, int count) override;
  ssize_t receiveSome(char* into, size_t room, bool peek_only) override;
  void updateInterest() override { schedulePump(); }
  void shutdownSending() override;
  void closeSocket(bool reset) override;
  net::Address queryLocalAddress() const override { return actual_local_; }
  uint32_t unacknowledgedInSocket() const override { return static_cast<uint32_t>(out_->size()); }

  void joinTo(InMemoryConnection& peer);
  void wakePeer();
  void schedulePump();
  void pump();
  bool readable() const { return in_->size() > 0 || in_->ended || in_->reset; }
  bool writable() const { return out_->size() < options_.pipe_bytes || out_->reader_closed; }

  const Options options_;
  const net::Address actual_local_;
  const std::shared_ptr<Pipe> in_;
  const std::shared_ptr<Pipe> out_;
  const std::shared_ptr<Anchor> anchor_;
  std::shared_ptr<Anchor> peer_;
  int connect_error_ = 0;
  bool pump_posted_ = false;
};

}  // namespace convoy::test
