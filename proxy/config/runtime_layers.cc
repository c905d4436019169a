#include "proxy/config/runtime_layers.h"

#include <cmath>
#include <optional>

#include "absl/strings/numbers.h"
#include "google/protobuf/struct.pb.h"

namespace convoy::config {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

constexpr std::string_view kGlobal = "overload.global_downstream_max_connections";
constexpr std::string_view kListenerPrefix = "envoy.resource_limits.listener.";
constexpr std::string_view kListenerSuffix = ".connection_limit";

std::optional<uint64_t> wholeNumber(const Value& value) {
  if (value.kind_case() == Value::kNumberValue) {
    const double number = value.number_value();
    if (number >= 0 && number < 0x1p53 && std::trunc(number) == number) {
      return static_cast<uint64_t>(number);
    }
  }
  uint64_t number = 0;
  if (value.kind_case() == Value::kStringValue && absl::SimpleAtoi(value.string_value(), &number)) {
    return number;
  }
  return std::nullopt;
}

class Layer {
 public:
  Layer(RuntimeLimits* limits, base::FieldReport& report) : limits_(*limits), report_(report) {}

  // Keys may be written with dots or as nested maps.
  void read(const Struct& fields, const std::string& prefix) {
    for (const auto& [name, value] : fields.fields()) {
      auto at = report_.in("", std::string_view(name));
      const std::string key = prefix.empty() ? name : prefix + "." + name;
      if (value.kind_case() == Value::kStructValue) {
        read(value.struct_value(), key);
      } else {
        take(key, value);
      }
    }
  }

 private:
  void take(std::string_view key, const Value& value) {
    const bool of_listener = key.starts_with(kListenerPrefix) && key.ends_with(kListenerSuffix) &&
                             key.size() > kListenerPrefix.size() + kListenerSuffix.size();
    if (!of_listener && key != kGlobal) {
      report_.note("", "no runtime key of this name is used");
      return;
    }
    const std::optional<uint64_t> limit = wholeNumber(value);
    if (!limit.has_value()) {
      report_.error("type", "", "must be a whole number of connections");
    } else if (key == kGlobal) {
      limits_.downstream_connections = *limit;
    } else {
      key.remove_prefix(kListenerPrefix.size());
      key.remove_suffix(kListenerSuffix.size());
      limits_.listener_connections[std::string(key)] = *limit;
    }
  }

  RuntimeLimits& limits_;
  base::FieldReport& report_;
};

}  // namespace

RuntimeLimits readRuntimeLayers(const envoy::config::bootstrap::v3::LayeredRuntime& proto,
                                base::FieldReport& report) {
  RuntimeLimits limits;
  auto at = report.in("layered_runtime");
  for (int i = 0; i < proto.layers_size(); ++i) {
    auto in = report.in("layers", static_cast<size_t>(i));
    auto layer = report.in("static_layer");
    Layer(&limits, report).read(proto.layers(i).static_layer(), "");
  }
  return limits;
}

}  // namespace convoy::config
