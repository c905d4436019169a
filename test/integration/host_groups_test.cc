// Which upstream serves a request where priorities, localities and subsets divide them, through the
// whole proxy and with Envoy's resources.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "test/common/proxy_harness.h"

namespace convoy::test {
namespace {

std::string answer(const std::string& name) {
  return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", name.size(), "\r\n\r\n", name);
}

// More of a bootstrap that ends with an endpoint of the cluster's.
std::string locality(const std::string& fields, const net::Address& host) {
  return absl::StrCat("      - {", fields,
                      ", lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, "
                      "port_value: ",
                      host.port(), "}}}}]}\n");
}
std::string labelled(const std::string& version) {
  return absl::StrCat("          metadata: {filter_metadata: {envoy.lb: {version: ", version,
                      "}}}\n");
}

constexpr char kRetried[] =
    "{match: {prefix: /}, route: {cluster: web, retry_policy: {retry_on: "
    "'connect-failure,reset'}}}";

TEST(HostGroups, TheNextPriorityServesWhenTheFirstIsDown) {
  std::optional<FakeUpstream> first(std::in_place, answer("first"));
  const FakeUpstream second(answer("second"));
  ProxyHarness proxy(staticBootstrap(first->address(), kRetried) +
                     locality("priority: 1", second.address()) +
                     "    outlier_detection: {consecutive_gateway_failure: 2, "
                     "enforcing_consecutive_gateway_failure: 100, max_ejection_percent: 100}\n");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(proxy.get("/").body, "first");
  EXPECT_EQ(second.requests(), 0);
  // Whoever meets it in vain is sent on, and when it is ejected nobody does.
  first.reset();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(proxy.get("/").body, "second");
  ASSERT_TRUE(proxy.becomes("cluster.web.outlier_detection.ejections_active", 1));
  EXPECT_EQ(proxy.metric("cluster.web.0.priority_healthy"), 0u);
  EXPECT_EQ(proxy.metric("cluster.web.1.priority_healthy"), 1u);
  for (int i = 0; i < 4; ++i) {
    const HttpReply reply = proxy.get("/");
    EXPECT_EQ(reply.body, "second");
    EXPECT_EQ(reply.head.find("x-convoy-panic"), std::string::npos);
  }
  EXPECT_EQ(proxy.metric("cluster.web.panic"), 0u);
}

TEST(HostGroups, LocalitiesGetTheirShares) {
  const FakeUpstream many, few;
  ProxyHarness proxy(
      staticBootstrap(many.address(), "{match: {prefix: /}, route: {cluster: web}}") +
      "        locality: {zone: a}\n        load_balancing_weight: 9\n" +
      locality("locality: {zone: b}, load_balancing_weight: 1", few.address()) +
      "    common_lb_config: {locality_weighted_lb_config: {}}\n");
  constexpr int kRequests = 200;
  for (int i = 0; i < kRequests; ++i) EXPECT_EQ(proxy.get("/").status, 200);
  EXPECT_EQ(many.requests() + few.requests(), kRequests);
  EXPECT_NEAR(few.requests(), 20, 17) << "four standard deviations";
}

TEST(HostGroups, ARouteChoosesASubset) {
  const FakeUpstream one(answer("v1")), two(answer("v2"));
  const std::string routes =
      "{match: {prefix: /canary}, route: {cluster: web, metadata_match: {filter_metadata: "
      "{envoy.lb: {version: v2}}}}}, "
      "{match: {prefix: /none}, route: {cluster: web, metadata_match: {filter_metadata: "
      "{envoy.lb: {version: v3}}}}}, "
      "{match: {prefix: /}, route: {cluster: web}}";
  std::string bootstrap = staticBootstrap(one.address(), routes) + labelled("v1");
  absl::StrAppend(
      &bootstrap,
      "        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: ",
      two.address().port(), "}}}\n", labelled("v2"),
      "    lb_subset_config:\n"
      "      fallback_policy: DEFAULT_SUBSET\n"
      "      default_subset: {version: v1}\n"
      "      subset_selectors: [{keys: [version]}]\n");
  ProxyHarness proxy(bootstrap);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(proxy.get("/canary").body, "v2");
    EXPECT_EQ(proxy.get("/").body, "v1");
    EXPECT_EQ(proxy.get("/none").body, "v1");
  }
  EXPECT_EQ(proxy.metric("cluster.web.lb_subsets_active"), 2u);
  EXPECT_TRUE(proxy.becomes("cluster.web.lb_subsets_selected", 4));
  EXPECT_TRUE(proxy.becomes("cluster.web.lb_subsets_fallback", 8));
}

}  // namespace
}  // namespace convoy::test
