// Envoy's messages are linked, found by name, and keep their validation rules.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <string>

#include "envoy/config/bootstrap/v3/bootstrap.pb.h"
#include "envoy/config/listener/v3/listener.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "test/third_party/imports_envoy.pb.h"
#include "validate/validate.pb.h"

namespace convoy::test {
namespace {

const google::protobuf::FieldDescriptor* findField(const std::string& name) {
  return google::protobuf::DescriptorPool::generated_pool()->FindFieldByName(name);
}

TEST(EnvoyApi, ABootstrapIsParsedThroughAnyByReflection) {
  envoy::config::bootstrap::v3::Bootstrap bootstrap;
  const google::protobuf::util::Status status = google::protobuf::util::JsonStringToMessage(
      R"({"static_resources": {"listeners": [{"name": "l", "filter_chains": [{"filters": [{
            "name": "http", "typed_config": {
              "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
              "stat_prefix": "ingress"}}]}]}]}})",
      &bootstrap);
  ASSERT_TRUE(status.ok()) << status.ToString();
  const auto& filter = bootstrap.static_resources().listeners(0).filter_chains(0).filters(0);
  envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager manager;
  ASSERT_TRUE(filter.typed_config().UnpackTo(&manager));
  EXPECT_EQ(manager.stat_prefix(), "ingress");
}

// Nothing above names these types: they are found because the whole set is linked.
TEST(EnvoyApi, EveryTypeIsFoundByName) {
  const std::string prefix = "envoy.extensions.";
  for (const char* name :
       {"filters.http.router.v3.Router", "filters.http.jwt_authn.v3.JwtAuthentication",
        "filters.http.local_ratelimit.v3.LocalRateLimit", "filters.network.tcp_proxy.v3.TcpProxy",
        "transport_sockets.tls.v3.DownstreamTlsContext", "load_balancing_policies.maglev.v3.Maglev",
        "upstreams.http.v3.HttpProtocolOptions", "access_loggers.file.v3.FileAccessLog"}) {
    EXPECT_NE(
        google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(prefix + name),
        nullptr)
        << name;
  }
}

TEST(EnvoyApi, ValidationRulesAreKept) {
  const auto* stat_prefix = findField(
      "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
      ".stat_prefix");
  ASSERT_NE(stat_prefix, nullptr);
  EXPECT_EQ(stat_prefix->options().GetExtension(validate::rules).string().min_len(), 1u);
}

TEST(EnvoyApi, TheOverlaysFieldIsKnown) {
  const auto* methods = findField("envoy.config.core.v3.HealthCheck.HttpHealthCheck.host");
  ASSERT_NE(methods, nullptr);
  EXPECT_NE(findField("validate.StringRules.ignore_empty"), nullptr);
  EXPECT_EQ(findField("validate.StringRules.ignore_empty")->number(), 26);
  EXPECT_EQ(findField("validate.UInt32Rules.ignore_empty")->number(), 8);
}

TEST(EnvoyApi, OurMessagesMayHoldEnvoys) {
  ImportsEnvoy message;
  message.mutable_node()->set_id("n1");
  EXPECT_EQ(message.node().id(), "n1");
}

}  // namespace
}  // namespace convoy::test
