#pragma once

// A client of the proxy, and an upstream of it, that speak HTTP/1.1 or HTTP/2 and look the same to
// a test: one message at a time, on the test's own thread.

#include <memory>
#include <string>
#include <utility>

#include "test/common/h2_connection.h"
#include "test/common/raw_socket.h"

namespace convoy::test {

enum class Speaks : uint8_t { Http1, Http2 };

// HTTP/1.1's start line and Host appear as HTTP/2's pseudo-fields do.
struct Message {
  Fields head = {};
  std::string body = {};
  Fields trailers = {};
  bool chunked = true;  // HTTP/1.1: the body, if there is one; else with its length
};

// A blocking end of an HTTP/1.1 connection.
class H1Connection {
 public:
  explicit H1Connection(RawSocket socket) : socket_(std::move(socket)) {}

  void send(const Message& message);
  void sendRaw(std::string_view bytes) { socket_.send(bytes); }
  // The next message, or its head; `bodiless`: none follows. What arrived wrongly is cut short, and
  // broken() tells.
  H2Message receive(bool bodiless = false);
  bool broken() const { return broken_; }
  bool untilClosed();
  void abort() { socket_.reset(); }

 private:
  bool fill();
  std::string line();
  std::string take(size_t bytes);
  void receiveHead(H2Message* message);
  void receiveChunks(H2Message* message);

  RawSocket socket_;
  std::string buffer_;
  bool broken_ = false;
};

// One request at a time.
class TestClient {
 public:
  TestClient(Speaks speaks, const net::Address& proxy);

  void send(const Message& request);
  H2Message receive();  // also an answer that was broken off: `reset` is set
  void giveUp();        // resets what is under way
  H1Connection& h1() { return *h1_; }
  H2Connection& h2() { return *h2_; }
  int32_t id() const { return id_; }

 private:
  std::unique_ptr<H1Connection> h1_;
  std::unique_ptr<H2Connection> h2_;
  int32_t id_ = 0;
  bool bodiless_ = false;
};

class TestUpstream {
 public:
  explicit TestUpstream(Speaks speaks) : speaks_(speaks), listening_(RawSocket::listening()) {}

  net::Address address() const { return listening_.localAddress(); }
  H2Message receive();      // the next request
  H2Message receiveHead();  // HTTP/2: without waiting for the rest
  void inform(int status);
  void answer(const Message& response);
  void breakOff();  // in the middle of the response, or before it
  H1Connection& h1();
  H2Connection& h2();
  int32_t id() const { return id_; }

 private:
  const Speaks speaks_;
  RawSocket listening_;
  std::unique_ptr<H1Connection> h1_;
  std::unique_ptr<H2Connection> h2_;
  int32_t id_ = 0;
};

}  // namespace convoy::test
