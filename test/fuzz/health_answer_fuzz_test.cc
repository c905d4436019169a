// Any bytes as the body of a health check's answer: JSON reports, HealthCheckResponses, payloads.
// Whatever is found, it is one verdict, and a reason for people that is short and printable.

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/assert.h"
#include "proxy/upstream/health/matching.h"

namespace {

void checkShown(std::string_view text) {
  CONVOY_ASSERT(text.size() <= 160);
  for (const char c : text) CONVOY_ASSERT(c >= 0x20 && c <= 0x7e);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace convoy::upstream;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto fault = faultInReport(bytes);
  if (fault.has_value()) {
    CONVOY_ASSERT(!fault->empty());
    checkShown(*fault);
  }
  checkShown(shown(bytes));
  const auto status = decodeServingStatus(bytes);
  // A message that is cut inside of its last field is none; one that is followed by another field
  // still is one.
  if (status.has_value()) {
    CONVOY_ASSERT(decodeServingStatus(std::string(bytes) + "\x08\x01") == 1u);
  }
  const std::string half(bytes.substr(size / 2));
  CONVOY_ASSERT(containsInOrder(bytes, {half}));
  CONVOY_ASSERT(!containsInOrder(half, {half, "x"}));
  return 0;
}
