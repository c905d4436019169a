#include "proxy/tls/metrics.h"

#include <array>
#include <string>

namespace convoy::tls {

std::string_view TlsMetrics::failureMetricName(Failure failure) {
  static const std::array<std::string, kFailures> names = [] {
    std::array<std::string, kFailures> made;
    for (int i = 0; i < kFailures; ++i) {
      made[static_cast<size_t>(i)] = "ssl.failure.";
      made[static_cast<size_t>(i)] += name(static_cast<Failure>(i));
    }
    return made;
  }();
  return names[static_cast<size_t>(failure)];
}

}  // namespace convoy::tls
