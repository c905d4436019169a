// Any bytes to the HTTP/1.x client codec, as the response to a request whose kind the first byte
// chooses. What comes out must not depend on how the bytes were cut into reads, and a response that
// was accepted must, forwarded, be exactly one response again and the same.

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

struct Kind {
  std::string_view method;
  bool complete;
  std::string_view upgrade;
};

Kind kindOf(char c) {
  switch (c) {
    case 'H':
      return {"HEAD", true, {}};
    case 'C':
      return {"CONNECT", true, {}};
    case 'P':
      return {"POST", false, {}};  // the request's body is still on its way
    case 'U':
      return {"GET", true, "websocket"};
    default:
      return {"GET", true, {}};
  }
}

void checkSplits(const Kind& kind, std::string_view bytes) {
  std::string first;
  fuzz::forSomeSplits(bytes, [&](auto&& feed_all) {
    ClientRecorder client(kLimits);
    client.request(kind.method, kind.complete, {}, kind.upgrade);
    feed_all([&client](std::string_view piece) { client.codec.dispatch(piece); });
    client.codec.onEndOfStream();
    CONVOY_ASSERT(client.codec.mustClose());
    std::string events = client.events.take();
    // Bytes behind a response are noticed before the stream completes, or, if they come in a later
    // read, by an error on the idle connection: the only thing that a cut may change.
    const size_t complete = events.find("complete");
    if (complete != std::string::npos) events.resize(complete);
    if (first.empty()) first = events;
    CONVOY_ASSERT(events == first);
  });
}

void checkForwarding(const Kind& kind, std::string_view bytes) {
  ResponseCollector received(kind.method, kLimits);
  received.codec.dispatch(bytes);
  received.codec.onEndOfStream();
  CONVOY_ASSERT(received.heads <= 1);
  const Response& response = received.response;
  if (!response.complete || kind.method == "CONNECT") return;
  const std::string wire = forwarded(response, kind.method);
  ResponseCollector again(kind.method);
  again.codec.dispatch(wire);
  CONVOY_ASSERT(!again.failed && again.heads == 1 && again.codec.idle());
  CONVOY_ASSERT(!again.codec.mustClose());
  CONVOY_ASSERT(essence(again.response) == essence(response));
}

}  // namespace
}  // namespace convoy::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > convoy::http::kMaxInput) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const convoy::http::Kind kind = convoy::http::kindOf(bytes[0]);
  convoy::http::checkSplits(kind, bytes.substr(1));
  convoy::http::checkForwarding(kind, bytes.substr(1));
  return 0;
}
