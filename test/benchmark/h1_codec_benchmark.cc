// What HTTP/1.1 costs a proxied request: a request head of six fields parsed and written, a
// response head of six fields parsed and written; no bodies, no sockets, nothing between them.
// Run by hand. Instructions repeat to the digit, so count those of 1,000 requests:
//
//   bazel build //test/benchmark:h1_codec_benchmark
//   for n in 1000 2000; do
//     valgrind --tool=callgrind --callgrind-out-file=/dev/null
//       bazel-bin/test/benchmark/h1_codec_benchmark codecs $n 2>&1 | grep Collected
//   done     # and take the difference
//
// The first argument says what runs per request, the second how often:
//   codecs   both codecs, nothing else
//   forward  and what a proxy does between them: copies of both heads, hop-by-hop fields removed
//   parse    only the request head is parsed, by the parser alone

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/http/h1_client_codec.h"
#include "proxy/http/h1_server_codec.h"
#include "proxy/http/hop_by_hop.h"

namespace convoy::http {
namespace {

constexpr std::string_view kRequest =
    "GET /api/v1/items?page=2 HTTP/1.1\r\n"
    "Host: shop.example.com\r\n"
    "User-Agent: wrk/4.2.0 (bench)\r\n"
    "Accept: application/json\r\n"
    "Accept-Encoding: gzip, deflate\r\n"
    "Authorization: Bearer 0123456789abcdef\r\n"
    "X-Tenant-Name: blue\r\n"
    "\r\n";

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\n"
    "Server: backend/1.0\r\n"
    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 0\r\n"
    "Cache-Control: no-cache, private\r\n"
    "X-Backend-Name: shop-17\r\n"
    "\r\n";

const H1Limits kLimits;

// An upstream connection. Its owner answers each request with the same response.
class Upstream final : public ClientCodecHandler, public ResponseReceiver {
 public:
  Upstream() : codec(*this, kLimits) {}

  net::ByteQueue queue;
  H1ClientCodec codec;
  ResponseSender* downstream = nullptr;
  bool forwards = false;

  net::ByteQueue& output() override { return queue; }
  void pauseReading() override {}
  void resumeReading() override {}
  void onStreamComplete(RequestSender&) override {}
  void onProtocolError(Failure, std::string_view) override { std::abort(); }
  void onGoAway() override {}
  void onInformational(ResponseHead&) override {}
  void onResponseHead(ResponseHead& head, bool end) override {
    if (forwards) removeHopByHop(head.headers);
    downstream->sendHead(head, end);
  }
  void onResponseBody(std::string_view, bool) override {}
  void onResponseTrailers(HeaderList&) override {}
  void onResponseReset(Failure) override { std::abort(); }
  void onSendQueueAboveHigh() override {}
  void onSendQueueBelowLow() override {}
};

class Downstream final : public ServerCodecHandler, public RequestReceiver {
 public:
  explicit Downstream(Upstream& upstream) : codec(*this, kLimits), upstream_(upstream) {}

  net::ByteQueue queue;
  H1ServerCodec codec;

  net::ByteQueue& output() override { return queue; }
  void pauseReading() override {}
  void resumeReading() override {}
  RequestReceiver& newStream(ResponseSender& sender) override {
    upstream_.downstream = &sender;
    return *this;
  }
  void onProtocolError(Failure, std::string_view) override { std::abort(); }
  void onStreamComplete(ResponseSender&) override {}
  void onRequestHead(RequestHead& head, bool end) override {
    if (!upstream_.forwards) return upstream_.codec.newStream(upstream_).sendHead(head, end);
    RequestHead copy = head;
    copy.copyInto(arena_);
    removeHopByHop(copy.headers);
    upstream_.codec.newStream(upstream_).sendHead(copy, end);
    arena_.reset();
  }
  void onRequestBody(std::string_view, bool) override {}
  void onRequestTrailers(HeaderList&) override {}
  void onRequestReset(Failure) override { std::abort(); }
  void onSendQueueAboveHigh() override {}
  void onSendQueueBelowLow() override {}

 private:
  Upstream& upstream_;
  base::Arena arena_;
};

void relay(long count, bool forwards) {
  Upstream upstream;
  upstream.forwards = forwards;
  Downstream downstream(upstream);
  for (long i = 0; i < count; ++i) {
    downstream.codec.dispatch(kRequest);
    upstream.queue.clear();
    upstream.codec.dispatch(kResponse);
    downstream.queue.clear();
  }
}

void parse(long count) {
  for (long i = 0; i < count; ++i) {
    H1RequestParser parser(kLimits, "http", false);
    const char* at = kRequest.data();
    if (parser.parse(at, at + kRequest.size()) != H1Progress::Complete) std::abort();
  }
}

}  // namespace
}  // namespace convoy::http

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "codecs";
  const long count = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 1'000'000;
  if (what == "parse") {
    convoy::http::parse(count);
  } else if (what == "codecs" || what == "forward") {
    convoy::http::relay(count, what == "forward");
  } else {
    std::fprintf(stderr, "unknown: %s; one of codecs, forward, parse\n", argv[1]);
    return 2;
  }
  return 0;
}
