// Fuzzes the cutting of gRPC bodies into messages: the result must not depend on how the bytes are
// split, and no message may be longer than the limit.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/grpc/frame_parser.h"

namespace {

using convoy::grpc::FrameParser;

constexpr size_t kLimit = 4096;

struct Outcome {
  std::vector<std::string> messages;
  std::string error;
  bool inside = false;
  bool operator==(const Outcome&) const = default;
};

Outcome parse(std::string_view body, size_t piece) {
  FrameParser parser(kLimit);
  Outcome outcome;
  for (size_t at = 0; at < body.size(); at += piece) {
    const std::string owned(body.substr(at, piece));
    std::string_view bytes = owned;
    FrameParser::Result result = FrameParser::Result::Message;
    while ((result = parser.parse(bytes)) == FrameParser::Result::Message) {
      if (parser.message().size() > kLimit) std::abort();
      outcome.messages.emplace_back(parser.message());
    }
    if (result == FrameParser::Result::Error) {
      outcome.error = std::string(parser.error().message());
      return outcome;
    }
  }
  outcome.inside = parser.insideMessage();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t piece = 1 + data[0] % 16;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  if (!(parse(body, body.size() + 1) == parse(body, piece))) std::abort();
  return 0;
}
