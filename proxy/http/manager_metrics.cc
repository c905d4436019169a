#include "proxy/http/manager_metrics.h"

#include <string>

namespace convoy::http {

std::string_view failureMetricName(Failure failure) {
  static const auto* const kNames = [] {
    auto* names = new std::array<std::string, static_cast<size_t>(Failure::kCount)>;
    for (size_t i = 0; i < names->size(); ++i) {
      (*names)[i] = "downstream_rq_failed_" + std::string(info(static_cast<Failure>(i)).code);
    }
    return names;
  }();
  return (*kNames)[static_cast<size_t>(failure)];
}

}  // namespace convoy::http
