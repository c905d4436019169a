#include "proxy/admin/config_dump.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "envoy/config/bootstrap/v3/bootstrap.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/tls.pb.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/json_util.h"
#include "proxy/config/resources.h"

namespace convoy::admin {
namespace {

using envoy::admin::v3::BootstrapConfigDump;
using envoy::admin::v3::ClustersConfigDump;
using envoy::admin::v3::ConfigDump;
using envoy::admin::v3::EndpointsConfigDump;
using envoy::admin::v3::ListenersConfigDump;
using envoy::admin::v3::RoutesConfigDump;
using envoy::config::cluster::v3::Cluster;
using envoy::config::endpoint::v3::ClusterLoadAssignment;
using envoy::config::listener::v3::Listener;
using envoy::config::route::v3::RouteConfiguration;
using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
using xds::ResourceArchive;

template <class Message>
Message parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

Listener listenerWithRoutes(const std::string& name, const std::string& table) {
  HttpConnectionManager manager;
  manager.mutable_route_config()->set_name(table);
  Listener listener;
  listener.set_name(name);
  listener.add_filter_chains()->add_filters()->mutable_typed_config()->PackFrom(manager);
  return listener;
}

event::WallTime at(int64_t seconds) {
  return event::WallTime(std::chrono::seconds(seconds));
}

class ConfigDumpTest : public testing::Test {
 protected:
  ConfigDumpTest() {
    auto bootstrap = parse<envoy::config::bootstrap::v3::Bootstrap>(R"(
        node { id: "n1" }
        static_resources { clusters { name: "fixed" load_assignment { cluster_name: "fixed" } }
                           clusters { name: "bare" } })");
    *bootstrap.mutable_static_resources()->add_listeners() = listenerWithRoutes("front", "inline");
    bootstrap_ = bootstrap.SerializeAsString();
  }

  template <class Message>
  void accept(const char* type, const std::string& name, const std::string& version,
              const Message& message, bool waits = false) {
    archive_.accept(type, name, {version, message.SerializeAsString(), at(100)}, waits);
  }
  template <class Message>
  void refuse(const char* type, const std::string& name, const std::string& version,
              const Message& message) {
    archive_.refuse(type, name, {{version, message.SerializeAsString(), at(200)}, "not so"});
  }
  static Cluster cluster(const std::string& name) {
    Cluster made;
    made.set_name(name);
    return made;
  }

  Response get(const std::string& query, bool dynamic = true) {
    Request request;
    request.method = "GET";
    request.path = "/config_dump";
    request.query = query;
    return configDump({bootstrap_, at(50), dynamic ? &archive_ : nullptr}, request);
  }
  // The dump, read back as a client does.
  ConfigDump dump(const std::string& query = "", bool dynamic = true) {
    const Response response = get(query, dynamic);
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(response.content_type, kJson);
    ConfigDump read;
    const auto status = google::protobuf::util::JsonStringToMessage(response.body, &read);
    EXPECT_TRUE(status.ok()) << status.ToString() << response.body;
    return read;
  }
  template <class Section>
  static Section section(const ConfigDump& dump) {
    Section found;
    for (const auto& config : dump.configs()) {
      if (config.Is<Section>()) config.UnpackTo(&found);
    }
    return found;
  }
  static std::vector<std::string> typesOf(const ConfigDump& dump) {
    std::vector<std::string> types;
    for (const auto& config : dump.configs()) {
      types.push_back(config.type_url().substr(config.type_url().rfind('.') + 1));
    }
    return types;
  }

  std::string bootstrap_;
  ResourceArchive archive_;
};

TEST_F(ConfigDumpTest, HasEnvoysSectionsInItsOrder) {
  using Types = std::vector<std::string>;
  EXPECT_EQ(typesOf(dump("", false)),
            (Types{"BootstrapConfigDump", "ClustersConfigDump", "ListenersConfigDump",
                   "RoutesConfigDump", "SecretsConfigDump"}));
  EXPECT_EQ(typesOf(dump("include_eds")),
            (Types{"BootstrapConfigDump", "ClustersConfigDump", "EndpointsConfigDump",
                   "ListenersConfigDump", "RoutesConfigDump", "SecretsConfigDump"}));
}

TEST_F(ConfigDumpTest, ShowsTheBootstrapAndWhatItHolds) {
  const ConfigDump all = dump("include_eds=", false);
  const auto bootstrap = section<BootstrapConfigDump>(all);
  EXPECT_EQ(bootstrap.bootstrap().node().id(), "n1");
  EXPECT_EQ(bootstrap.last_updated().seconds(), 50);
  const auto clusters = section<ClustersConfigDump>(all);
  ASSERT_EQ(clusters.static_clusters_size(), 2);
  Cluster fixed;
  ASSERT_TRUE(clusters.static_clusters(0).cluster().UnpackTo(&fixed));
  EXPECT_EQ(fixed.name(), "fixed");
  EXPECT_EQ(clusters.static_clusters(0).last_updated().seconds(), 50);
  EXPECT_EQ(section<EndpointsConfigDump>(all).static_endpoint_configs_size(), 1);
  EXPECT_EQ(section<ListenersConfigDump>(all).static_listeners_size(), 1);
  const auto routes = section<RoutesConfigDump>(all);
  ASSERT_EQ(routes.static_route_configs_size(), 1);
  RouteConfiguration table;
  ASSERT_TRUE(routes.static_route_configs(0).route_config().UnpackTo(&table));
  EXPECT_EQ(table.name(), "inline");
}

TEST_F(ConfigDumpTest, ShowsDynamicClustersByState) {
  accept(config::kClusterType, "a", "a1", cluster("a"));
  accept(config::kClusterType, "b", "b1", cluster("b"));
  accept(config::kClusterType, "b", "b2", cluster("b"), /*waits=*/true);
  refuse(config::kClusterType, "a", "a2", cluster("a"));
  refuse(config::kClusterType, "never", "n1", cluster("never"));
  archive_.setVersion(config::kClusterType, "7");
  const auto clusters = section<ClustersConfigDump>(dump());
  EXPECT_EQ(clusters.version_info(), "7");
  ASSERT_EQ(clusters.dynamic_active_clusters_size(), 2);
  const auto& a = clusters.dynamic_active_clusters(0);
  EXPECT_EQ(a.version_info(), "a1");
  EXPECT_EQ(a.last_updated().seconds(), 100);
  EXPECT_EQ(a.client_status(), envoy::admin::v3::NACKED);
  EXPECT_EQ(a.error_state().details(), "not so");
  EXPECT_EQ(a.error_state().version_info(), "a2");
  EXPECT_EQ(a.error_state().last_update_attempt().seconds(), 200);
  EXPECT_TRUE(a.error_state().failed_configuration().Is<Cluster>());
  const auto& b = clusters.dynamic_active_clusters(1);
  EXPECT_EQ(b.version_info(), "b1");
  EXPECT_EQ(b.client_status(), envoy::admin::v3::ACKED);
  EXPECT_FALSE(b.has_error_state());
  ASSERT_EQ(clusters.dynamic_warming_clusters_size(), 2);
  EXPECT_EQ(clusters.dynamic_warming_clusters(0).version_info(), "b2");
  EXPECT_FALSE(clusters.dynamic_warming_clusters(1).has_cluster());
  EXPECT_EQ(clusters.dynamic_warming_clusters(1).error_state().version_info(), "n1");
}

TEST_F(ConfigDumpTest, ShowsDynamicListenersEndpointsAndRoutes) {
  accept(config::kListenerType, "public", "1", listenerWithRoutes("public", "own"));
  accept(config::kListenerType, "public", "2", listenerWithRoutes("public", "own"), true);
  refuse(config::kListenerType, "public", "3", Listener());
  ClusterLoadAssignment endpoints;
  endpoints.set_cluster_name("web");
  accept(config::kAssignmentType, "web", "e1", endpoints);
  refuse(config::kAssignmentType, "web", "e2", endpoints);
  RouteConfiguration table;
  table.set_name("table");
  accept(config::kRouteTableType, "table", "r1", table);
  accept(config::kRouteTableType, "table", "r2", table, true);
  refuse(config::kRouteTableType, "table", "r3", table);
  const ConfigDump all = dump("include_eds");

  const auto listeners = section<ListenersConfigDump>(all);
  ASSERT_EQ(listeners.dynamic_listeners_size(), 1);
  const auto& listener = listeners.dynamic_listeners(0);
  EXPECT_EQ(listener.name(), "public");
  EXPECT_EQ(listener.active_state().version_info(), "1");
  EXPECT_EQ(listener.active_state().last_updated().seconds(), 100);
  EXPECT_EQ(listener.warming_state().version_info(), "2");
  EXPECT_EQ(listener.error_state().version_info(), "3");
  EXPECT_FALSE(listener.error_state().has_failed_configuration());  // it had no bytes

  const auto assignments = section<EndpointsConfigDump>(all);
  ASSERT_EQ(assignments.dynamic_endpoint_configs_size(), 1);
  EXPECT_EQ(assignments.dynamic_endpoint_configs(0).version_info(), "e1");
  EXPECT_EQ(assignments.dynamic_endpoint_configs(0).error_state().version_info(), "e2");

  const auto routes = section<RoutesConfigDump>(all);
  EXPECT_EQ(routes.static_route_configs_size(), 2);  // the bootstrap's, and the listener's own
  ASSERT_EQ(routes.dynamic_route_configs_size(), 1);
  EXPECT_EQ(routes.dynamic_route_configs(0).version_info(), "r2");
  EXPECT_EQ(routes.dynamic_route_configs(0).error_state().version_info(), "r3");
}

TEST_F(ConfigDumpTest, OneListCanBeChosen) {
  accept(config::kClusterType, "a", "1", cluster("a"));
  accept(config::kClusterType, "ab", "1", cluster("ab"));
  using Types = std::vector<std::string>;
  EXPECT_EQ(typesOf(dump("resource=dynamic_active_clusters")),
            (Types{"DynamicCluster", "DynamicCluster"}));
  EXPECT_EQ(typesOf(dump("resource=dynamic_active_clusters&name_regex=a")),
            (Types{"DynamicCluster"}));
  EXPECT_EQ(typesOf(dump("resource=static_endpoint_configs")), (Types{"StaticEndpointConfig"}));
  EXPECT_EQ(typesOf(dump("resource=bootstrap")), (Types{"BootstrapConfigDump"}));
  EXPECT_EQ(typesOf(dump("resource=dynamic_listeners")), Types());
}

TEST_F(ConfigDumpTest, NamesCanBeChosen) {
  accept(config::kClusterType, "a", "1", cluster("a"));
  accept(config::kClusterType, "bb", "1", cluster("bb"));
  const ConfigDump all = dump("include_eds&name_regex=b%2B");  // b+
  const auto clusters = section<ClustersConfigDump>(all);
  EXPECT_EQ(clusters.static_clusters_size(), 0);
  EXPECT_EQ(clusters.dynamic_active_clusters_size(), 1);
  EXPECT_EQ(section<ListenersConfigDump>(all).static_listeners_size(), 0);
  EXPECT_EQ(section<RoutesConfigDump>(all).static_route_configs_size(), 0);
  EXPECT_EQ(section<EndpointsConfigDump>(all).static_endpoint_configs_size(), 0);
}

struct BadQuery {
  const char* query;
  int status;
  const char* says;
};

TEST_F(ConfigDumpTest, SaysWhatIsWrongWithAQuery) {
  const BadQuery cases[] = {
      {"resource=clusters", 404, "write one of: bootstrap, static_clusters, "},
      {"resource=version_info", 404, "dynamic_route_configs"},
      {"name_regex=(", 400, "?name_regex=(: missing )"},
      {"mask=x", 400, "?mask= is not supported"},
  };
  for (const BadQuery& one : cases) {
    SCOPED_TRACE(one.query);
    const Response response = get(one.query);
    EXPECT_EQ(response.status, one.status);
    EXPECT_NE(response.body.find(one.says), std::string::npos) << response.body;
  }
}

TEST_F(ConfigDumpTest, NoSecretGetsOut) {
  envoy::extensions::transport_sockets::tls::v3::DownstreamTlsContext tls;
  auto* certificate = tls.mutable_common_tls_context()->add_tls_certificates();
  certificate->mutable_certificate_chain()->set_inline_string("public-chain");
  certificate->mutable_private_key()->set_inline_string("sesame-open");
  Listener listener = listenerWithRoutes("secure", "own");
  auto* socket = listener.mutable_filter_chains(0)->mutable_transport_socket();
  socket->set_name("tls");
  socket->mutable_typed_config()->PackFrom(tls);
  accept(config::kListenerType, "secure", "1", listener);
  accept(config::kListenerType, "secure", "2", listener, true);
  refuse(config::kListenerType, "secure", "3", listener);
  envoy::config::bootstrap::v3::Bootstrap bootstrap;
  *bootstrap.mutable_static_resources()->add_listeners() = listener;
  bootstrap_ = bootstrap.SerializeAsString();
  for (const char* query : {"", "include_eds", "resource=bootstrap", "resource=static_listeners",
                            "resource=dynamic_listeners"}) {
    const std::string body = get(query).body;
    EXPECT_EQ(body.find("sesame"), std::string::npos) << query;
    EXPECT_NE(body.find("public-chain"), std::string::npos) << query;
    EXPECT_NE(body.find("[redacted]"), std::string::npos) << query;
  }
}

TEST_F(ConfigDumpTest, WhatHasNoJsonFormDoesNotHideTheRest) {
  Cluster odd = cluster("odd");
  odd.mutable_connect_timeout()->set_seconds(INT64_MAX);
  accept(config::kClusterType, "good", "1", cluster("good"));
  refuse(config::kClusterType, "odd", "1", odd);
  refuse(config::kClusterType, "good", "2", odd);
  const std::string body = get("").body;
  EXPECT_NE(body.find("\"not_shown\""), std::string::npos) << body;
  EXPECT_NE(body.find("\"name\": \"good\""), std::string::npos) << body;
  EXPECT_EQ(get("").status, 200);
}

}  // namespace
}  // namespace convoy::admin
