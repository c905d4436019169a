#pragma once

// The server's end of an HTTP/2 connection that carries gRPC, for tests: it answers only what it is
// told to, right or wrong. Sans-I/O, one thread; test/common/xds_server.h and the tests of
// proxy/grpc give it bytes.

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace convoy::test {

class GrpcPeer {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  struct Settings {
    uint32_t initial_window = 65535;
    uint32_t max_concurrent_streams = 100;
  };

  struct Call {
    int32_t id = 0;
    std::map<std::string, std::string> headers;
    std::vector<std::string> messages;  // of the client, whole
    bool ended = false;                 // the client has ended its side
    std::optional<uint32_t> reset;      // HTTP/2 error code; set also by a close without one

    std::string unparsed;
    std::deque<std::string> outgoing;
    size_t front_sent = 0;
    std::optional<Headers> trailers;
    bool answered = false;
    bool end_stream = false;
  };

  GrpcPeer();
  explicit GrpcPeer(Settings settings);
  ~GrpcPeer();
  GrpcPeer(const GrpcPeer&) = delete;
  GrpcPeer& operator=(const GrpcPeer&) = delete;

  // False: the client broke HTTP/2.
  bool receive(std::string_view bytes);
  // At most `limit` bytes, roughly.
  std::string takeOutput(size_t limit = SIZE_MAX);

  // In the order of arrival; kept after their end.
  std::vector<int32_t> calls() const { return order_; }
  const Call& call(int32_t id) const { return calls_.at(id); }
  const Call& onlyCall() const { return calls_.at(order_.at(0)); }
  int pings() const { return pings_; }
  int goAways() const { return go_aways_; }

  // Called for each message, from inside receive().
  std::function<void(int32_t id, const std::string& message)> on_message;
  std::function<void(int32_t id)> on_closed;

  // The head of a response: "200", "application/grpc" unless other headers are given.
  void answer(int32_t id);
  void answer(int32_t id, const Headers& headers, bool end_stream = false);
  // A 1xx response before the head.
  void informational(int32_t id, const std::string& status);
  // Answers first if that was not done.
  void send(int32_t id, std::string_view message);
  void sendRaw(int32_t id, std::string_view body_bytes);
  void finish(int32_t id, int code, const std::string& message = "");
  // Ends the body without trailers.
  void endWithoutStatus(int32_t id);
  void reset(int32_t id, uint32_t error_code);
  void goAway(uint32_t error_code, std::string_view debug);
  // Streams that the peer has not seen yet are refused.
  void goAwayRefusing(int32_t last_stream_id);
  bool answers_pings = true;

 private:
  struct Callbacks;
  void cutMessages(Call& call);
  ssize_t read(Call& call, uint8_t* out, size_t room, uint32_t* flags);

  nghttp2_session* session_ = nullptr;
  std::map<int32_t, Call> calls_;
  std::vector<int32_t> order_;
  int pings_ = 0;
  int go_aways_ = 0;
};

}  // namespace convoy::test
