#pragma once

// How the bytes of an answer are judged. Pure functions over hostile bytes.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/upstream/health/spec.h"

namespace convoy::upstream {

// All of them, in this order, with anything between (Envoy's payload matching).
bool containsInOrder(std::string_view bytes, const std::vector<std::string>& pieces);

bool inRanges(uint16_t status, const std::vector<StatusRange>& ranges);

// {"status": "healthy", "checks": {"db": "ok", ...}}: what is wrong with such a report, if
// anything. Other members do not matter.
std::optional<std::string> faultInReport(std::string_view json);

// Bytes of a peer, or a name, for people: cut, and nothing but printable ASCII.
std::string shown(std::string_view bytes);

// grpc.health.v1.HealthCheckRequest, and the `status` of a HealthCheckResponse (1: SERVING); no
// value if the bytes are none.
std::string encodeHealthRequest(std::string_view service);
std::optional<uint64_t> decodeServingStatus(std::string_view message);

}  // namespace convoy::upstream
