#include "proxy/admin/stats.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "proxy/base/strings.h"

namespace convoy::admin {

namespace {

// Upper bounds in milliseconds: Envoy's default buckets.
constexpr double kBounds[] = {0.5,   1,      5,      10,      25,     50,    100,
                              250,   500,    1000,   2500,    5000,   10000, 30000,
                              60000, 300000, 600000, 1800000, 3600000};

std::string dotted(std::string_view prefix, const observe::Labels& labels, std::string_view name) {
  std::string text(prefix);
  for (const auto& [key, value] : labels) absl::StrAppend(&text, ".", value);
  absl::StrAppend(&text, ".", base::toAbsl(name));
  return text;
}

bool shows(const StatsChoice& choice, bool used, std::string_view prefix,
           const observe::Labels& labels, std::string_view name) {
  if (choice.used_only && !used) return false;
  return choice.name == nullptr || RE2::PartialMatch(dotted(prefix, labels, name), *choice.name);
}

class StatsReader final : public observe::MetricReader {
 public:
  explicit StatsReader(const StatsChoice& choice) : choice_(choice) {}

  void counter(std::string_view prefix, const observe::Labels& labels, std::string_view name,
               std::string_view, uint64_t value) override {
    if (!shows(choice_, value != 0, prefix, labels, name)) return;
    add(dotted(prefix, labels, name), absl::StrCat(value));
  }
  void gauge(std::string_view prefix, const observe::Labels& labels, std::string_view name,
             std::string_view, int64_t value) override {
    if (!shows(choice_, value != 0, prefix, labels, name)) return;
    add(dotted(prefix, labels, name), absl::StrCat(value));
  }
  void histogram(std::string_view prefix, const observe::Labels& labels, std::string_view name,
                 std::string_view, const observe::HistogramSnapshot& value) override {
    if (!shows(choice_, value.count != 0, prefix, labels, name)) return;
    std::string text;
    if (value.count == 0) text = "No recorded values";
    for (const double q : {0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0}) {
      if (value.count == 0) break;
      absl::StrAppend(&text, text.empty() ? "" : " ", "P", q * 100, "=",
                      static_cast<double>(value.quantile(q)) / 1000);
    }
    add(dotted(prefix, labels, name), std::move(text));
  }

  std::string text() {
    std::string all;
    std::sort(lines_.begin(), lines_.end());
    for (const std::string& line : lines_) absl::StrAppend(&all, line, "\n");
    return all;
  }

 private:
  void add(const std::string& name, std::string value) {
    lines_.push_back(absl::StrCat(name, ": ", value));
  }

  const StatsChoice& choice_;
  std::vector<std::string> lines_;
};

std::string escapeLabel(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text;
}

std::string metricName(std::string_view prefix, std::string_view name) {
  std::string text = absl::StrCat("envoy_", base::toAbsl(prefix), "_", base::toAbsl(name));
  for (char& c : text) {
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '_' || c == ':';
    if (!allowed) c = '_';
  }
  return text;
}

// A metric's name without what is told by a label.
struct Tagged {
  std::string name;
  std::string label;  // key="value"; empty: none
};

Tagged tagged(std::string_view name) {
  static constexpr std::pair<std::string_view, const char*> kEnds[] = {
      {"_rq_response_flag.", "response_flag"},
      {"_http1_error.", "reason"},
      {"_http2_error.", "reason"},
  };
  for (const auto& [marker, label] : kEnds) {
    const size_t at = name.find(marker);
    if (at == std::string_view::npos) continue;
    const size_t dot = at + marker.size() - 1;
    return {std::string(name.substr(0, dot)),
            absl::StrCat(label, "=\"", base::toAbsl(name.substr(dot + 1)), "\"")};
  }
  constexpr std::string_view kClass = "_rq_5xx";
  if (name.size() > kClass.size() && name.ends_with("xx")) {
    const std::string_view end = name.substr(name.size() - kClass.size());
    const char digit = end[4];
    if (end.starts_with("_rq_") && digit >= '1' && digit <= '5') {
      return {absl::StrCat(base::toAbsl(name.substr(0, name.size() - 3)), "xx"),
              absl::StrCat("envoy_response_code_class=\"", std::string(1, digit), "\"")};
    }
  }
  return {std::string(name), ""};
}

// `more` is one further label, such as le="5".
std::string labelText(const observe::Labels& labels, const std::string& more) {
  std::string text;
  for (const auto& [key, value] : labels) {
    absl::StrAppend(&text, text.empty() ? "" : ",", key, "=\"", escapeLabel(value), "\"");
  }
  if (!more.empty()) absl::StrAppend(&text, text.empty() ? "" : ",", more);
  return text.empty() ? text : absl::StrCat("{", text, "}");
}

class PrometheusReader final : public observe::MetricReader {
 public:
  explicit PrometheusReader(const StatsChoice& choice) : choice_(choice) {}

  void counter(std::string_view prefix, const observe::Labels& labels, std::string_view name,
               std::string_view help, uint64_t value) override {
    if (!shows(choice_, value != 0, prefix, labels, name)) return;
    const Tagged tag = tagged(name);
    const std::string metric = metricName(prefix, tag.name);
    absl::StrAppend(&family(metric, "counter", help), metric, labelText(labels, tag.label), " ",
                    value, "\n");
  }
  void gauge(std::string_view prefix, const observe::Labels& labels, std::string_view name,
             std::string_view help, int64_t value) override {
    if (!shows(choice_, value != 0, prefix, labels, name)) return;
    const std::string metric = metricName(prefix, name);
    absl::StrAppend(&family(metric, "gauge", help), metric, labelText(labels, ""), " ", value,
                    "\n");
  }
  void histogram(std::string_view prefix, const observe::Labels& labels, std::string_view name,
                 std::string_view help, const observe::HistogramSnapshot& value) override {
    if (!shows(choice_, value.count != 0, prefix, labels, name)) return;
    const std::string metric = metricName(prefix, name);
    std::string& out = family(metric, "histogram", help);
    uint64_t below = 0;
    int next = 0;
    for (const double bound : kBounds) {
      while (next < observe::Histogram::kBuckets &&
             static_cast<double>(observe::Histogram::upperBoundOf(next)) <= bound * 1000) {
        below += value.buckets[next++];
      }
      absl::StrAppend(&out, metric, "_bucket",
                      labelText(labels, absl::StrCat("le=\"", bound, "\"")), " ", below, "\n");
    }
    absl::StrAppend(&out, metric, "_bucket", labelText(labels, "le=\"+Inf\""), " ", value.count,
                    "\n");
    absl::StrAppend(&out, metric, "_sum", labelText(labels, ""), " ",
                    static_cast<double>(value.sum) / 1000, "\n");
    absl::StrAppend(&out, metric, "_count", labelText(labels, ""), " ", value.count, "\n");
  }

  std::string text() const {
    std::string all;
    for (const auto& [name, lines] : families_) absl::StrAppend(&all, lines);
    return all;
  }

 private:
  std::string& family(const std::string& metric, const char* type, std::string_view help) {
    std::string& lines = families_[metric];
    if (lines.empty()) {
      lines = absl::StrCat("# HELP ", metric, " ", base::toAbsl(help), "\n# TYPE ", metric, " ",
                           type, "\n");
    }
    return lines;
  }

  const StatsChoice& choice_;
  std::map<std::string, std::string> families_;
};

}  // namespace

std::string renderStats(const observe::MetricRegistry& registry, const StatsChoice& choice) {
  StatsReader reader(choice);
  registry.read(reader);
  return reader.text();
}

std::string renderStats(const observe::MetricRegistry& registry, std::string_view text) {
  const RE2 name(RE2::QuoteMeta(re2::StringPiece(text.data(), text.size())));
  return renderStats(registry, {.name = &name, .used_only = false});
}

std::string renderPrometheus(const observe::MetricRegistry& registry, const StatsChoice& choice) {
  PrometheusReader reader(choice);
  registry.read(reader);
  return reader.text();
}

}  // namespace convoy::admin
