#pragma once

// One number of a registry, for tests.

#include <cstdint>
#include <string_view>

#include "proxy/observe/metrics.h"

namespace convoy::test {

// Of the counter or gauge of that name in the group of that prefix, whatever its labels (the last
// one, if there are several); -1: there is none.
inline int64_t metricValue(const observe::MetricRegistry& registry, std::string_view prefix,
                           std::string_view name) {
  struct Reader final : observe::MetricReader {
    Reader(std::string_view group, std::string_view metric)
        : wanted_prefix(group), wanted_name(metric) {}
    void counter(std::string_view group, const observe::Labels&, std::string_view metric,
                 std::string_view, uint64_t value) override {
      take(group, metric, static_cast<int64_t>(value));
    }
    void gauge(std::string_view group, const observe::Labels&, std::string_view metric,
               std::string_view, int64_t value) override {
      take(group, metric, value);
    }
    void histogram(std::string_view, const observe::Labels&, std::string_view, std::string_view,
                   const observe::HistogramSnapshot&) override {}
    void take(std::string_view group, std::string_view metric, int64_t value) {
      if (group == wanted_prefix && metric == wanted_name) result = value;
    }
    const std::string_view wanted_prefix;
    const std::string_view wanted_name;
    int64_t result = -1;
  } reader(prefix, name);
  registry.read(reader);
  return reader.result;
}

}  // namespace convoy::test
