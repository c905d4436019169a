#pragma once

// How a MetricGroup merges its slots: included by metrics.h only. visit() names the fields in the
// same order for every slot, so the first slot gives names and the others are added by position.

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "proxy/observe/metrics.h"

namespace convoy::observe {

// One field, merged. Which of the values counts is decided by the field's type.
struct MergedMetric {
  std::string_view name;
  std::string_view help;
  uint64_t counter = 0;
  int64_t gauge = 0;
  std::unique_ptr<HistogramSnapshot> histogram;
  void (*show)(const MergedMetric&, MetricReader&, std::string_view prefix, const Labels&);

  void add(const Counter& part) {
    counter += part.value();
    show = [](const MergedMetric& m, MetricReader& reader, std::string_view prefix,
              const Labels& labels) { reader.counter(prefix, labels, m.name, m.help, m.counter); };
  }
  void add(const Gauge& part) {
    gauge += part.value();
    show = [](const MergedMetric& m, MetricReader& reader, std::string_view prefix,
              const Labels& labels) { reader.gauge(prefix, labels, m.name, m.help, m.gauge); };
  }
  void add(const Histogram& part) {
    if (histogram == nullptr) histogram = std::make_unique<HistogramSnapshot>();
    histogram->add(part);
    show = [](const MergedMetric& m, MetricReader& reader, std::string_view prefix,
              const Labels& labels) {
      reader.histogram(prefix, labels, m.name, m.help, *m.histogram);
    };
  }
};

template <class Metrics>
void MetricGroup<Metrics>::read(MetricReader& reader) const {
  std::vector<MergedMetric> merged;
  for (const auto& slot : slots_) {
    size_t index = 0;
    const Metrics& metrics = slot->metrics;
    Metrics::visit(metrics, [&](std::string_view name, const auto& field, std::string_view help) {
      if (index == merged.size()) merged.emplace_back();
      MergedMetric& metric = merged[index++];
      metric.name = name;
      metric.help = help;
      metric.add(field);
    });
  }
  for (const MergedMetric& metric : merged) metric.show(metric, reader, prefix_, labels_);
}

}  // namespace convoy::observe
