#pragma once

// One end of an HTTP/2 connection on a blocking socket, on nghttp2 and nothing of ours: what a test
// needs as a client of the proxy, or as its upstream. Every wait is bounded; what the peer said is
// kept by stream.
//
//   H2Connection client(RawSocket::connectedTo(address), H2Connection::Role::Client);
//   const int32_t id = client.request({{":method", "GET"}, ...});
//   client.untilEnded(id);
//   EXPECT_EQ(client.message(id).field(":status"), "200");

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "test/common/raw_socket.h"

namespace convoy::test {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct H2Message {
  std::string field(std::string_view name) const;  // of the head; the values joined by "|"

  Fields head;
  Fields trailers;
  std::string body;
  std::vector<int> informational;
  bool ended = false;
  std::optional<uint32_t> reset;  // RST_STREAM's code
};

class H2Connection {
 public:
  enum class Role : uint8_t { Client, Server };
  struct Options {
    uint32_t max_streams = 100;
    bool opens_windows = true;  // false: consume() does
  };

  H2Connection(RawSocket socket, Role role);
  H2Connection(RawSocket socket, Role role, Options options);
  ~H2Connection();
  H2Connection(const H2Connection&) = delete;
  H2Connection& operator=(const H2Connection&) = delete;

  // All of a message, or its head alone (`more`: send() follows). Trailers end it.
  int32_t request(const Fields& head, std::string body = {}, const Fields& trailers = {},
                  bool more = false);
  void respond(int32_t id, const Fields& head, std::string body = {}, const Fields& trailers = {},
               bool more = false);
  void sendInformational(int32_t id, int status);
  void send(int32_t id, std::string_view bytes, bool end, const Fields& trailers = {});
  void reset(int32_t id, uint32_t code);
  void goAway(int32_t last_id);
  void consume(int32_t id, size_t bytes);
  // Returns when the peer has seen all that was sent so far, and we all that it said before that.
  bool exchange();

  // Reads, and writes what the windows allow, until it holds; false if the connection ended before,
  // or nothing came in time.
  bool until(const std::function<bool()>& holds);
  bool untilEnded(int32_t id);  // the message of the peer, by its end or a reset
  bool untilClosed();           // the connection
  // Server: the number of the next stream whose head has come, in their order; -1: none came.
  int32_t nextStream();
  H2Message& message(int32_t id) { return messages_[id]; }
  bool closed() const { return closed_; }
  bool wentAway() const { return went_away_; }
  size_t unsent(int32_t id) { return outgoing_[id].bytes.size() - outgoing_[id].at; }

 private:
  struct Outgoing {
    std::string bytes;
    size_t at = 0;
    bool ended = false;
    Fields trailers;
  };
  struct Callbacks;

  void submit(int32_t id, const Fields& head, Outgoing out);
  void flush();
  bool readOnce();

  RawSocket socket_;
  const Role role_;
  const Options options_;
  nghttp2_session* session_ = nullptr;
  std::map<int32_t, H2Message> messages_;
  std::map<int32_t, Outgoing> outgoing_;
  std::vector<int32_t> opened_;
  size_t next_opened_ = 0;
  size_t pongs_ = 0;
  bool closed_ = false;
  bool went_away_ = false;
};

}  // namespace convoy::test
