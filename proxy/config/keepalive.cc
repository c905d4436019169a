#include "proxy/config/keepalive.h"

#include <optional>
#include <string>
#include <string_view>

#include "proxy/config/values.h"

namespace convoy::config {

namespace {

// What Linux takes.
constexpr uint32_t kMostProbes = 127;
constexpr uint32_t kMostSeconds = 32767;

}  // namespace

upstream::KeepaliveSpec toKeepalive(const envoy::config::core::v3::KeepaliveSettings& proto,
                                    base::FieldReport& report) {
  upstream::KeepaliveSpec spec;
  spec.interval = toMilliseconds(proto.interval(), "interval", report);
  spec.timeout = toMilliseconds(proto.timeout(), "timeout", report);
  if (proto.has_interval_jitter()) spec.jitter_percent = proto.interval_jitter().value();
  spec.idle_interval =
      toMilliseconds(proto.connection_idle_interval(), "connection_idle_interval", report);
  return spec;
}

net::TcpKeepalive toTcpKeepalive(const envoy::config::core::v3::TcpKeepalive& proto,
                                 base::FieldReport& report) {
  const auto read = [&report](bool set, uint32_t value, std::string_view field,
                              uint32_t most) -> std::optional<uint16_t> {
    if (!set) return std::nullopt;
    if (value == 0 || value > most) {
      report.error(
          field, "out_of_range", std::to_string(value),
          "the system takes 1 to " + std::to_string(most) + "; remove it to have the system's own");
      return std::nullopt;
    }
    return static_cast<uint16_t>(value);
  };
  return {
      .probes = read(proto.has_keepalive_probes(), proto.keepalive_probes().value(),
                     "keepalive_probes", kMostProbes),
      .idle_seconds = read(proto.has_keepalive_time(), proto.keepalive_time().value(),
                           "keepalive_time", kMostSeconds),
      .interval_seconds = read(proto.has_keepalive_interval(), proto.keepalive_interval().value(),
                               "keepalive_interval", kMostSeconds)};
}

}  // namespace convoy::config
