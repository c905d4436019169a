// The filter in a whole proxy, with its configuration of every level, and the edits that Envoy has
// without a filter.

#include "proxy/filter/header_mutation/header_mutation_filter.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_replace.h"
#include "test/common/proxy_harness.h"

namespace convoy::filter::header_mutation {
namespace {

using test::FakeUpstream;
using test::ProxyHarness;

// The filter before the router, with these lines of its configuration.
std::string withFilter(const std::string& bootstrap, const std::string& config) {
  return absl::StrReplaceAll(bootstrap, {{"          http_filters:\n", R"(          http_filters:
          - name: edits
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
              )" + config + "\n"}});
}

std::string perRoute(const std::string& mutations) {
  return R"(typed_per_filter_config: {edits: {"@type": )"
         "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3."
         "HeaderMutationPerRoute, mutations: {" +
         mutations + "}}}";
}

std::string append(const std::string& name, const std::string& value) {
  return "{append: {header: {key: " + name + ", value: \"" + value + "\"}}}";
}

bool has(const std::string& head, const std::string& line) {
  return head.find("\r\n" + line + "\r\n") != std::string::npos;
}

TEST(HeaderMutationFilterTest, EditsRequestsAndResponses) {
  FakeUpstream web("HTTP/1.1 200 OK\r\nServer: old\r\nX-Out: 1\r\nContent-Length: 2\r\n\r\nok");
  ProxyHarness proxy(withFilter(
      test::staticBootstrap(web.address()),
      "mutations: {request_mutations: [{remove: x-secret}, " + append("x-new", "literal") + ", " +
          append("x-path", "%REQ(:PATH)%") + "], response_mutations: [{remove: x-out}, " +
          append("x-status", "%RESPONSE_CODE_DETAILS% of %REQ(x-id)%") + "]}"));
  const auto reply =
      proxy.send("GET /a HTTP/1.1\r\nHost: h\r\nX-Secret: s\r\nX-Id: 7\r\nX-New: own\r\n\r\n");
  const std::string request = web.lastRequest();
  EXPECT_FALSE(has(request, "X-Secret: s")) << request;
  EXPECT_TRUE(has(request, "X-New: own")) << request;
  EXPECT_TRUE(has(request, "x-new: literal")) << request;
  EXPECT_TRUE(has(request, "x-path: /a")) << request;
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.head.find("X-Out"), std::string::npos) << reply.head;
  EXPECT_NE(reply.head.find("x-status:"), std::string::npos) << reply.head;
  EXPECT_NE(reply.head.find("of 7"), std::string::npos) << reply.head;
}

TEST(HeaderMutationFilterTest, ARouteAddsItsOwnAndOthersStay) {
  FakeUpstream web;
  ProxyHarness proxy(withFilter(
      test::staticBootstrap(web.address(),
                            "{match: {prefix: /a}, route: {cluster: web}, " +
                                perRoute("request_mutations: [" + append("by", "route") + "]") +
                                "}, {match: {prefix: /}, route: {cluster: web}}"),
      "mutations: {request_mutations: [" + append("by", "filter") + "]}"));
  proxy.get("/a");
  const std::string both = web.lastRequest();
  EXPECT_LT(both.find("by: filter"), both.find("by: route")) << both;
  EXPECT_TRUE(has(both, "by: route")) << both;
  proxy.get("/b");
  const std::string one = web.lastRequest();
  EXPECT_TRUE(has(one, "by: filter")) << one;
  EXPECT_FALSE(has(one, "by: route")) << one;
}

TEST(HeaderMutationFilterTest, RoutesEditWithoutAFilterDirectResponsesToo) {
  FakeUpstream web;
  const std::string edits =
      "request_headers_to_add: [{header: {key: x-peer, value: "
      "\"%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%\"}}], "
      "response_headers_to_add: [{header: {key: x-seen, value: \"%REQ(:PATH)%\"}}]}";
  ProxyHarness proxy(test::staticBootstrap(
      web.address(), "{match: {prefix: /direct}, direct_response: {status: 204}, " + edits +
                         ", {match: {prefix: /}, route: {cluster: web, prefix_rewrite: /new/}, " +
                         edits));
  const auto forwarded = proxy.get("/old");
  const std::string request = web.lastRequest();
  EXPECT_TRUE(has(request, "x-peer: 127.0.0.1")) << request;
  EXPECT_NE(forwarded.head.find("x-seen:"), std::string::npos) << forwarded.head;
  const auto direct = proxy.get("/direct");
  EXPECT_EQ(direct.status, 204);
  EXPECT_NE(direct.head.find("x-seen: /direct"), std::string::npos) << direct.head;
}

}  // namespace
}  // namespace convoy::filter::header_mutation
