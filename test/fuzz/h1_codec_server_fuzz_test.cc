// Any bytes to the HTTP/1.x server codec. What comes out must not depend on how the bytes were cut
// into reads, and a request that was accepted must, forwarded, be exactly one request again and the
// same: no bytes are smuggled through.

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/assert.h"
#include "test/fuzz/h1_split.h"
#include "test/proxy/http/h1_messages.h"

namespace convoy::http {
namespace {

constexpr size_t kMaxInput = 4096;

// Small enough to be reached.
constexpr H1Limits kLimits{.max_head_bytes = 600,
                           .max_fields = 12,
                           .max_chunk_extension_bytes = 16,
                           .max_body_extension_bytes = 40,
                           .max_trailer_bytes = 80,
                           .max_trailer_fields = 3,
                           .max_informational = 2};

void answerOk(ResponseSender& sender) {
  ResponseHead head;
  head.status = 200;
  sender.sendHead(head, true);
}

void checkSplits(std::string_view bytes) {
  std::string first;
  fuzz::forSomeSplits(bytes, [&first](auto&& feed_all) {
    ServerRecorder server(kLimits);
    server.on_request_end = answerOk;
    feed_all([&server](std::string_view piece) { server.feed(piece); });
    CONVOY_ASSERT(server.held().empty());
    server.events.add(server.codec.mustClose() ? "must close\n" : "open\n");
    server.events.add(server.codec.idle() ? "idle\n" : "busy\n");
    const std::string events = server.events.take();
    if (first.empty()) first = events;
    CONVOY_ASSERT(events == first);
    server.codec.onEndOfStream();
    CONVOY_ASSERT(server.codec.mustClose());
    server.codec.onConnectionLost(Failure::DownstreamDisconnect);
    CONVOY_ASSERT(server.codec.idle());
  });
}

void checkForwarding(std::string_view bytes) {
  RequestCollector received(kLimits);
  received.codec.dispatch(bytes);
  for (const auto& request : received.requests) {
    if (!request->complete || request->head.method == "CONNECT") continue;
    const std::string wire = forwarded(*request);
    RequestCollector again;
    again.codec.dispatch(wire);
    CONVOY_ASSERT(!again.failed && again.requests.size() == 1 && again.codec.idle());
    CONVOY_ASSERT(essence(*again.requests[0]) == essence(*request));
  }
}

}  // namespace
}  // namespace convoy::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > convoy::http::kMaxInput) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  convoy::http::checkSplits(bytes);
  convoy::http::checkForwarding(bytes);
  return 0;
}
