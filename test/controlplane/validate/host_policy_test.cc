#include "controlplane/validate/host_policy.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::validate {
namespace {

std::string textOf(const Problems& problems) {
  std::string out;
  for (const v1::Problem& problem : problems.list().problems()) {
    absl::StrAppend(&out, out.empty() ? "" : ", ", problem.field_path(), ": ", problem.rule());
  }
  return out;
}

TEST(HostPolicyTest, Pools) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"slow_start { nanos: 100000000 } drain_timeout {} override_header: \"X-To_1\"", ""},
      {"slow_start { seconds: 3600 } drain_timeout { seconds: 86400 }", ""},
      {"slow_start { nanos: 99000000 }", "x.slow_start: range"},
      {"slow_start { seconds: 3601 }", "x.slow_start: range"},
      {"drain_timeout { seconds: 86401 }", "x.drain_timeout: range"},
      {"protocol: PROTOCOL_HTTP2 keepalive { interval {} timeout { nanos: 100000000 } }", ""},
      {"protocol: PROTOCOL_HTTP2 keepalive { interval { seconds: 1 } timeout { seconds: 600 } }",
       ""},
      {"protocol: PROTOCOL_HTTP2 keepalive { interval { seconds: 3600 } }", ""},
      {"protocol: PROTOCOL_HTTP2 keepalive { interval { nanos: 999000000 } timeout {} }",
       "x.keepalive.interval: range, x.keepalive.timeout: range"},
      {"protocol: PROTOCOL_HTTP2 keepalive { interval { seconds: 3601 } timeout { seconds: 601 } }",
       "x.keepalive.interval: range, x.keepalive.timeout: range"},
      {"protocol: PROTOCOL_HTTP2 keepalive { interval { seconds: -1 } }",
       "x.keepalive.interval: range"},
      {"keepalive {}", "x.keepalive: conflict"},
      {"protocol: PROTOCOL_HTTP1 keepalive { timeout {} }",
       "x.keepalive: conflict, x.keepalive.timeout: range"},
      {"override_header: \"host\"", "x.override_header: syntax"},
      {"override_header: \"x-\"", "x.override_header: syntax"},
      {"override_header: \"x-a b\"", "x.override_header: syntax"},
      {"override_header: \"x-a!\"", "x.override_header: syntax"},
  };
  for (const auto& [pool, expected] : cases) {
    Problems problems;
    checkHostPolicy(parse<v1::Pool>(pool), Place(&problems, {v1::KIND_POOL, "p"}, "x"));
    EXPECT_EQ(textOf(problems), expected) << pool;
  }
}

TEST(HostPolicyTest, Backends) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"max_connections: 1", ""},
      {"max_connections: 4294967295 enabled: false", ""},
      {"max_connections: 0", "x.max_connections: range"},
  };
  for (const auto& [backend, expected] : cases) {
    Problems problems;
    checkBackendLimits(parse<v1::Backend>(backend),
                       Place(&problems, {v1::KIND_BACKEND, "p/a"}, "x"));
    EXPECT_EQ(textOf(problems), expected) << backend;
  }
}

}  // namespace
}  // namespace convoy::controlplane::validate
