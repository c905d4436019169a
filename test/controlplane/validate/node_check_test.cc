// The data plane's validator, as the control plane uses it, and what the control plane itself
// compiles against it: whatever passes our own rules is accepted by the nodes.

#include "controlplane/validate/node_check.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "api/convoy/v1/config.pb.h"
#include "controlplane/compile/snapshot.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/secret.pb.h"
#include "test/controlplane/common/certificate_text.h"
#include "test/controlplane/common/config_text.h"
#include "test/controlplane/common/model_text.h"

namespace convoy::controlplane::validate {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::extensions::transport_sockets::tls::v3::Secret;

TEST(NodeCheckTest, NamesWhatANodeWouldRefuse) {
  const auto errors = nodeCheck()(parse<Cluster>(R"(
    name: "web" type: EDS eds_cluster_config { eds_config { ads {} resource_api_version: V3 } }
    lb_policy: CLUSTER_PROVIDED track_cluster_stats { timeout_budgets: true } )"));
  ASSERT_FALSE(errors.empty());
  EXPECT_EQ(errors[0].type_url(), "type.googleapis.com/envoy.config.cluster.v3.Cluster");
  EXPECT_EQ(errors[0].name(), "web");
  EXPECT_FALSE(errors[0].field_path().empty());
  EXPECT_FALSE(errors[0].rule().empty());
  EXPECT_FALSE(errors[0].reason().empty());
}

TEST(NodeCheckTest, NamesTheSecretThatANodeWouldRefuseAndNothingInIt) {
  const std::string secrets[] = {
      // A certificate without its chain.
      R"(name: "web" tls_certificate { private_key { inline_string: "KEY-BYTES" } })",
      // A field that this build does not have, beside one that is too large.
      absl::StrCat(R"(name: "web" tls_certificate { certificate_chain { inline_string: "c" }
                      pkcs12 { inline_bytes: "KEY-BYTES" } private_key { inline_string: "KEY-BYTES)",
                   std::string(2 << 20, 'x'), R"(" } })"),
      R"(name: "web" session_ticket_keys { keys { inline_bytes: "KEY-BYTES" } })",
      R"(name: "web" generic_secret { secret { inline_string: "KEY-BYTES" } })",
  };
  for (const std::string& secret : secrets) {
    const auto errors = nodeCheck()(parse<Secret>(secret));
    EXPECT_FALSE(errors.empty()) << secret.substr(0, 200);
    for (const ext::ResourceError& error : errors) {
      EXPECT_EQ(error.type_url(),
                "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret");
      EXPECT_EQ(error.name(), "web");
      EXPECT_EQ(error.DebugString().find("KEY-BYTES"), std::string::npos) << error.field_path();
    }
  }
}

TEST(NodeCheckTest, OtherMessagesAreNotItsBusiness) {
  EXPECT_TRUE(nodeCheck()(v1::Config()).empty());
}

TEST(NodeCheckTest, AcceptsWhateverWeCompile) {
  // Every field of TLS, beside certificates to show and authorities to trust.
  const std::string https =
      certificateText("web", "ecdsa") + certificateText("rsa", "rsa") + authorityText("ca") + R"(
      listeners { name: "plain" address: "0.0.0.0:1" tls { certificates: "web" } }
      listeners { name: "asks" address: "0.0.0.0:2" tls { certificates: "web" certificates: "rsa"
        min_version: TLS_1_3 client_certificates { ca: "ca" optional: true names { dns: "a" }
          names { uri: "b:c" } names { uri_prefix: "d:" } names { email: "e@f" }
          names { ip: "10.0.0.1" } } } }
      listeners { name: "demands" address: "0.0.0.0:3"
        tls { certificates: "web" client_certificates { ca: "ca" } } }
      pools { name: "verified" tls { ca: "ca" server_name: "a.example" certificate: "rsa" } }
      pools { name: "named" protocol: PROTOCOL_HTTP2
              tls { ca: "ca" names { dns: "a" } min_version: TLS_1_3 } }
      pools { name: "blind" tls { insecure_skip_verification: true } })";
  const std::string configs[] = {
      https,
      R"(listeners { name: "public" address: "0.0.0.0:8080" routes { pool: "web" } }
         pools { name: "web" backends { address: "10.0.0.1:80" } })",
      // Every field at once.
      R"(listeners {
           name: "all" address: "0.0.0.0:1" addresses: "[::]:2" addresses: "unix:/run/a" addresses: "unix:@b"
           nodes { labels { key: "a" value: "b" } } access_log { format: JSON path: "/log" }
           idle_timeout { seconds: 5 } request_headers_timeout { seconds: 5 } max_request_headers_kib: 8192
           max_request_headers_count: 10000
           routes { name: "r" pool: "p" timeout { seconds: 1 } idle_timeout {} first_byte_timeout { seconds: 1 }
             match { hosts: "a.b" hosts: "*.C.d" hosts: "[::1]" hosts: "10.0.0.1" path: "/x" methods: "GET" methods: "PUT"
               headers { name: "a" exact: "" } headers { name: "b" prefix: "p" invert: true }
               headers { name: "c" present: false } headers { name: "d" } } }
           routes { direct_response { status: 599 body: "text" } match { path_prefix: "/y" } }
           routes { direct_response { status: 204 } } }
         listeners { name: "text" address: "0.0.0.0:3" access_log {} route_table: "t" }
         listeners { name: "empty" address: "0.0.0.0:4" }
         route_tables { name: "t" routes { pool: "p" match { methods: "M-SEARCH" } } }
         route_tables { name: "none" }
         pools { name: "p" algorithm: ALGORITHM_ROUND_ROBIN connect_timeout { nanos: 1000000 }
           backends { address: "10.0.0.1:1" weight: 128 } backends { address: "[::1]:65535" }
           backends { address: "unix:/run/b" nodes { labels { key: "a" value: "b" } } } backends { address: "unix:@c" } }
         pools { name: "q" algorithm: ALGORITHM_WEIGHTED_LEAST_CONNECTIONS })",
      R"(listeners { name: "l" address: "0.0.0.0:1" routes { match { path: "/a" } pool: "a" }
           routes { match { path: "/b" } pool: "b" } routes { match { path: "/c" } pool: "c" }
           routes { match { path: "/d" } pool: "d" } }
         pools { name: "a" sticky { cookie {} } }
         pools { name: "b" sticky { cookie { name: "__Host-a" secure: true same_site: SAME_SITE_NONE http_only: false
                   key_version: 3 } ttl {} strict: true } }
         pools { name: "c" sticky { app_cookie { name: "JSESSIONID" } ttl { seconds: 34560000 } max_clients: 10000000 } }
         pools { name: "d" sticky { header { name: "x-user" } } })",
  };
  for (const std::string& config : configs) {
    const manage::Plan plan = planText({}, config);
    int compiled = 0;
    compile::Snapshot::compile(
        plan.model,
        [&compiled](const store::Key& source, const auto& message) {
          ++compiled;
          for (const ext::ResourceError& error : nodeCheck()(message)) {
            ADD_FAILURE() << source.name << " " << error.field_path() << " " << error.rule() << " "
                          << error.value() << ": " << error.reason();
          }
        },
        [](absl::string_view purpose, size_t bytes) {
          return std::string(bytes, static_cast<char>(purpose.size())) + std::string(purpose);
        });
    EXPECT_GE(compiled, 4);
  }
}

}  // namespace
}  // namespace convoy::controlplane::validate
