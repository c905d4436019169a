#pragma once

// A connection whose filter chain is not chosen yet: its first bytes are read until they tell the
// server name and ALPN (tls/client_hello.h), or that they are no TLS. The bytes are kept for the
// chain, at most ClientHello::kMaxBytes and one read more; usually the first read has all of them,
// and nothing is copied. Owned by WorkerListeners; worker's thread only.

#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/intrusive_list.h"
#include "proxy/event/deadlines.h"
#include "proxy/net/connection.h"
#include "proxy/tls/client_hello.h"

namespace convoy::server {

class HelloReader : public net::ConnectionHandler, public base::ListHook<> {
 public:
  enum class End : uint8_t {
    Read,      // hello() says what came; takeConnection() and bytes() are for the chain
    Invalid,   // begins like TLS, but is malformed, or longer than is looked at
    TimedOut,  // as Read, with what is known, which is nothing
    Gone,      // the client left
  };
  class Owner {
   public:
    // Called once; the owner destroys the reader at the end of the turn.
    virtual void onHello(HelloReader& reader, End end) = 0;

   protected:
    ~Owner() = default;
  };

  explicit HelloReader(Owner& owner) : owner_(owner), deadline_(&HelloReader::onDeadline, this) {}
  virtual ~HelloReader() = default;
  // Begins to read. Null: no time limit.
  void start(std::unique_ptr<net::Connection> connection, event::DeadlineQueue* limit);

  void cancel() { finish(End::Gone); }

  const tls::ClientHello& hello() const { return hello_; }
  net::Connection& connection() { return *connection_; }
  std::unique_ptr<net::Connection> takeConnection() { return std::move(connection_); }
  // What was read; good until onHello() returns.
  std::string_view bytes() const { return bytes_; }

  // net::ConnectionHandler
  void onRead(std::string_view bytes) override;
  void onEndOfStream() override { finish(End::Gone); }
  void onClosed(net::CloseReason) override { finish(End::Gone); }
  void onWriteQueueAboveHigh() override {}
  void onWriteQueueBelowLow() override {}

 private:
  static void onDeadline(void* self);
  void finish(End end);

  Owner& owner_;
  std::unique_ptr<net::Connection> connection_;
  std::string held_;  // of earlier reads
  std::string_view bytes_;
  tls::ClientHello hello_;
  event::Deadline deadline_;
  bool done_ = false;
};

}  // namespace convoy::server
