#include "proxy/config/keepalive.h"

#include <chrono>

#include "gtest/gtest.h"
#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

namespace core = envoy::config::core::v3;
using namespace std::chrono_literals;

upstream::KeepaliveSpec pings(const std::string& yaml) {
  base::FieldReport report;
  const auto spec = toKeepalive(fromYaml<core::KeepaliveSettings>(yaml), report);
  EXPECT_TRUE(report.ok()) << yaml;
  return spec;
}

TEST(Keepalive, EveryFieldOfThePings) {
  const auto spec = pings(
      "{interval: 30s, timeout: 10s, interval_jitter: {value: 2.5}, connection_idle_interval: 7s}");
  EXPECT_EQ(spec.interval, 30s);
  EXPECT_EQ(spec.timeout, 10s);
  EXPECT_EQ(spec.jitter_percent, 2.5);
  EXPECT_EQ(spec.idle_interval, 7s);
}

TEST(Keepalive, UnsetFieldsAreEnvoysDefaults) {
  const auto spec = pings("{timeout: 10s}");
  EXPECT_EQ(spec.interval, 0s);
  EXPECT_EQ(spec.jitter_percent, 15);
  EXPECT_EQ(spec.idle_interval, 0s);
  EXPECT_EQ(pings("{timeout: 10s, interval_jitter: {}}").jitter_percent, 0);
}

TEST(Keepalive, TheKernelsProbesHaveTheKernelsRanges) {
  struct Case {
    std::string yaml;
    Lines errors;
  };
  const Case cases[] = {
      {"{}", {}},
      {"{keepalive_probes: 1, keepalive_time: 1, keepalive_interval: 1}", {}},
      {"{keepalive_probes: 127, keepalive_time: 32767, keepalive_interval: 32767}", {}},
      {"{keepalive_probes: 0, keepalive_time: 0, keepalive_interval: 0}",
       {"keepalive_probes: out_of_range: 0", "keepalive_time: out_of_range: 0",
        "keepalive_interval: out_of_range: 0"}},
      {"{keepalive_probes: 128, keepalive_time: 32768, keepalive_interval: 65537}",
       {"keepalive_probes: out_of_range: 128", "keepalive_time: out_of_range: 32768",
        "keepalive_interval: out_of_range: 65537"}},
  };
  for (const Case& c : cases) {
    base::FieldReport report;
    toTcpKeepalive(fromYaml<core::TcpKeepalive>(c.yaml), report);
    EXPECT_EQ(brief(report.errors()), c.errors) << c.yaml;
  }
  base::FieldReport report;
  const auto spec = toTcpKeepalive(
      fromYaml<core::TcpKeepalive>("{keepalive_probes: 3, keepalive_time: 60}"), report);
  EXPECT_EQ(spec.probes, 3);
  EXPECT_EQ(spec.idle_seconds, 60);
  EXPECT_EQ(spec.interval_seconds, std::nullopt);
}

}  // namespace
}  // namespace convoy::config
