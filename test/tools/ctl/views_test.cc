#include "tools/ctl/views.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <utility>

#include "tools/ctl/kinds.h"

namespace convoy::tools::ctl {
namespace {

TEST(KindsTest, PeopleMayWriteThemAsTheyLike) {
  EXPECT_EQ(parseKind("pool"), v1::KIND_POOL);
  EXPECT_EQ(parseKind("pools"), v1::KIND_POOL);
  EXPECT_EQ(parseKind("route-table"), v1::KIND_ROUTE_TABLE);
  EXPECT_EQ(parseKind("route_tables"), v1::KIND_ROUTE_TABLE);
  EXPECT_EQ(parseKind("listener"), v1::KIND_LISTENER);
  EXPECT_EQ(parseKind("backends"), v1::KIND_BACKEND);
  EXPECT_FALSE(parseKind("").has_value());
  EXPECT_FALSE(parseKind("s").has_value());
  EXPECT_FALSE(parseKind("resource").has_value());
}

TEST(ViewsTest, ResourcesAreOneLineEach) {
  v1::Resource listener;
  listener.set_revision(1);
  listener.mutable_listener()->set_name("public");
  listener.mutable_listener()->set_address("0.0.0.0:80");
  listener.mutable_listener()->set_route_table("main");
  (*listener.mutable_listener()->mutable_nodes()->mutable_labels())["zone"] = "a";
  v1::Resource pool;
  pool.set_revision(2);
  pool.mutable_pool()->set_name("web");
  pool.mutable_pool()->add_backends();
  v1::Resource backend;
  backend.set_revision(3);
  backend.mutable_backend()->set_pool("web");
  backend.mutable_backend()->set_address("10.0.0.1:80");
  backend.mutable_backend()->set_weight(3);
  std::ostringstream out;
  printResources({listener, pool, backend}, {}, out);
  EXPECT_EQ(out.str(),
            "KIND      NAME             REVISION  SUMMARY\n"
            "listener  public           1         0.0.0.0:80, route table main, on nodes zone=a\n"
            "pool      web              2         weighted_least_connections, 1 backend\n"
            "backend   web/10.0.0.1:80  3         weight 3\n");
  backend.mutable_backend()->set_enabled(false);
  backend.mutable_backend()->set_max_connections(5);
  std::ostringstream disabled;
  printResources({backend}, {}, disabled);
  EXPECT_NE(disabled.str().find("weight 3, at most 5 connections, disabled"), std::string::npos)
      << disabled.str();
  const v1::Config config = configOf({listener, pool, backend});
  EXPECT_EQ(config.listeners_size() + config.pools_size() + config.backends_size(), 3);
}

TEST(ViewsTest, CertificatesSayWhenTheyExpire) {
  const auto certificate = [](const std::string& name, int64_t not_after) {
    v1::Resource resource;
    resource.set_revision(1);
    resource.mutable_certificate()->set_name(name);
    v1::CertificateInfo& info = *resource.mutable_certificate()->mutable_info();
    info.set_subject("CN=x");
    info.set_key_type("ECDSA P-256");
    info.set_count(1);
    info.set_has_private_key(true);
    info.mutable_not_after()->set_seconds(not_after);
    return resource;
  };
  v1::Resource web = certificate("web", 10 * 86'400);
  for (const char* name : {"DNS:a.example", "IP:::1", "DNS:b.example", "DNS:c.example"}) {
    web.mutable_certificate()->mutable_info()->add_subject_alt_names(name);
  }
  v1::Resource old = certificate("old", 86'400);
  v1::Resource authorities = certificate("cas", 3 * 86'400 + 1);
  authorities.mutable_certificate()->mutable_info()->set_has_private_key(false);
  authorities.mutable_certificate()->mutable_info()->set_count(2);
  v1::Resource listener;
  listener.mutable_listener()->set_name("public");
  listener.mutable_listener()->set_address("0.0.0.0:443");
  listener.mutable_listener()->mutable_tls()->add_certificates("web");
  v1::Resource pool;
  pool.mutable_pool()->set_name("p");
  pool.mutable_pool()->mutable_tls();
  v1::Resource unsafe = pool;
  unsafe.mutable_pool()->mutable_tls()->set_insecure_skip_verification(true);
  std::ostringstream out;
  printResources({listener, pool, unsafe, web, old, authorities},
                 std::chrono::system_clock::time_point(std::chrono::hours(48)), out);
  EXPECT_EQ(
      out.str(),
      "KIND         NAME    REVISION  SUMMARY\n"
      "listener     public  0         0.0.0.0:443, TLS web, 0 routes\n"
      "pool         p       0         weighted_least_connections, 0 backends, TLS\n"
      "pool         p       0         weighted_least_connections, 0 backends, TLS not verified\n"
      "certificate  web     1         ECDSA P-256, a.example IP:::1 b.example and 1 more, "
      "expires 1970-01-11 (in 8 days)\n"
      "certificate  old     1         ECDSA P-256, CN=x, EXPIRED 1970-01-02\n"
      "certificate  cas     1         trusts 2 authorities, CN=x, expires 1970-01-04 (in 1 "
      "day)\n");
  EXPECT_EQ(parseKind("certificates"), v1::KIND_CERTIFICATE);
  EXPECT_EQ(configOf({web}).certificates(0).name(), "web");
}

TEST(ViewsTest, ANodeIsShownWithWhatItRefuses) {
  v1::Node node;
  node.set_id("edge-1");
  node.set_state(v1::Node::REFUSING);
  node.set_acknowledged_revision(4);
  node.set_user_agent("convoy-proxy/0.1.0");
  node.set_peer("ipv4:127.0.0.1:5");
  auto& bound = *node.mutable_report()->add_bound_addresses();
  bound.set_listener("public");
  bound.set_actual("127.0.0.1:8080");
  v1::NodeError& error = *node.add_errors();
  error.set_revision(5);
  error.mutable_error()->set_type_url("type.googleapis.com/envoy.config.cluster.v3.Cluster");
  error.mutable_error()->set_name("web");
  error.mutable_error()->set_field_path("lb_policy");
  error.mutable_error()->set_rule("unsupported_value");
  error.mutable_error()->set_value("MAGLEV");
  error.mutable_error()->set_reason("not supported yet");
  std::ostringstream out;
  printNodes({node}, out);
  EXPECT_EQ(out.str(),
            "NODE    STATE     REVISION  ERRORS  PROGRAM             PEER              LISTENERS\n"
            "edge-1  refusing  4         1       convoy-proxy/0.1.0  ipv4:127.0.0.1:5  "
            "public=127.0.0.1:8080\n"
            "node edge-1 refuses Cluster web: lb_policy: not supported yet (unsupported_value: "
            "MAGLEV), of revision 5\n");
}

TEST(ViewsTest, NodesThatChangeAreRowsOfOneTable) {
  v1::Node node;
  node.set_id("edge-1");
  node.set_state(v1::Node::DISCONNECTED);
  Table table = nodeTable();
  std::ostringstream out;
  printNodes({node}, table, out);
  node.set_state(v1::Node::SYNCED);
  node.set_connections(2);
  printNodes({node}, table, out);
  const std::string text = out.str();
  EXPECT_EQ(text.find("NODE "), text.rfind("NODE ")) << text;
  EXPECT_NE(text.find("\nedge-1  disconnected  0 "), std::string::npos) << text;
  EXPECT_NE(text.find("\nedge-1  synced        0 "), std::string::npos) << text;
  EXPECT_NE(text.find("\nnode edge-1 is connected 2 times"), std::string::npos) << text;
}

TEST(ViewsTest, BackendsThatGetNoRequestsAreNamedWithTheReason) {
  v1::Node node;
  node.set_id("edge-1");
  {
    auto& host = *node.mutable_report()->add_unhealthy_hosts();
    host.set_cluster("web");
    host.set_address("10.0.0.1:80");
    host.set_reason("status 503");
  }
  auto& ejected = *node.mutable_report()->add_unhealthy_hosts();
  ejected.set_cluster("web");
  ejected.set_address("10.0.0.2:80");
  ejected.set_reason("5 in a row");
  ejected.set_ejected(true);
  node.mutable_report()->set_unhealthy_host_count(3);
  std::ostringstream out;
  printNodes({node}, out);
  EXPECT_NE(out.str().find(
                "node edge-1: backend web/10.0.0.1:80 fails its health check: status "
                "503\nnode edge-1: backend web/10.0.0.2:80 is ejected: 5 in a row\nnode edge-1: 1 "
                "more backends get no requests, or one at a time\n"),
            std::string::npos)
      << out.str();
}

TEST(ViewsTest, BackendsAreOutForOtherReasonsThanChecks) {
  const std::pair<ext::NodeReport::OutBy, const char*> fates[] = {
      {ext::NodeReport::OUT_BY_HEALTH_CHECK, " fails its health check: why\n"},
      {ext::NodeReport::OUT_BY_BREAKER_OPEN, " gets no requests: why\n"},
      {ext::NodeReport::OUT_BY_BREAKER_HALF_OPEN, " gets one request at a time: why\n"},
      {ext::NodeReport::OUT_BY_RECOVERY, " gets no requests yet: why\n"},
  };
  for (const auto& [by, text] : fates) {
    v1::Node node;
    node.set_id("edge-1");
    auto& host = *node.mutable_report()->add_unhealthy_hosts();
    host.set_cluster("web");
    host.set_address("10.0.0.1:80");
    host.set_reason("why");
    host.set_out_by(by);
    std::ostringstream out;
    printNodes({node}, out);
    EXPECT_NE(out.str().find(std::string("node edge-1: backend web/10.0.0.1:80") + text),
              std::string::npos)
        << out.str();
  }
}

TEST(ViewsTest, BackendsThatFinishWhatTheyHaveAreNamed) {
  v1::Node node;
  node.set_id("edge-1");
  const auto add = [&](const char* address, auto state, uint64_t requests, uint64_t connections) {
    auto& host = *node.mutable_report()->add_finishing_hosts();
    host.set_cluster("web");
    host.set_address(address);
    host.set_state(state);
    host.set_requests(requests);
    host.set_connections(connections);
  };
  using Finishing = ext::NodeReport::FinishingHost;
  add("10.0.0.1:80", Finishing::STATE_DRAINING, 3, 1);
  add("10.0.0.2:80", Finishing::STATE_REMOVED, 1, 2);
  node.mutable_report()->set_finishing_host_count(4);
  std::ostringstream out;
  printNodes({node}, out);
  EXPECT_NE(
      out.str().find("node edge-1: backend web/10.0.0.1:80 drains and still has 3 requests, "
                     "1 connection\n"
                     "node edge-1: backend web/10.0.0.2:80 was removed and still has 1 request, "
                     "2 connections\n"
                     "node edge-1: 2 more backends finish what they have\n"),
      std::string::npos)
      << out.str();
}

TEST(ViewsTest, FieldsWithoutEffectAreNamed) {
  v1::Node node;
  node.set_id("a");
  ext::NodeReport& report = *node.mutable_report();
  const auto add = [&](const char* type, const char* name, const char* path, bool unknown) {
    ext::NodeReport::IgnoredField& field = *report.add_ignored_fields();
    field.set_type_url(std::string("type.googleapis.com/envoy.config.") + type);
    field.set_name(name);
    field.set_field_path(path);
    field.set_unknown(unknown);
    report.set_ignored_field_count(report.ignored_field_count() + 1);
  };
  const auto lines = [&] {
    std::ostringstream out;
    printNodes({node}, out);
    return out.str().substr(out.str().find("node a:"));
  };
  add("cluster.v3.Cluster", "web", "alt_stat_name", false);
  EXPECT_EQ(lines(), "node a: 1 field without effect: Cluster web: alt_stat_name\n");
  add("cluster.v3.Cluster", "web", "field_9999", true);
  add("listener.v3.Listener", "web", "reuse_port", false);
  EXPECT_EQ(lines(),
            "node a: 3 fields without effect: Cluster web: alt_stat_name, field_9999 (unknown); "
            "Listener web: reuse_port\n");
  for (const char* path : {"a", "b", "c"}) add("listener.v3.Listener", "x", path, false);
  report.set_ignored_field_count(2000);  // a report names so many and no more
  EXPECT_EQ(lines(),
            "node a: 2000 fields without effect: Cluster web: alt_stat_name, field_9999 (unknown); "
            "Listener web: reuse_port; Listener x: a, b, and 1995 more\n");
}

TEST(ViewsTest, AnIdThatSeveralProcessesUseIsSaid) {
  v1::Node node;
  node.set_id("edge-1");
  node.set_connections(2);
  std::ostringstream out;
  printNodes({node}, out);
  EXPECT_NE(out.str().find("node edge-1 is connected 2 times; if this lasts, several processes"),
            std::string::npos)
      << out.str();
}

TEST(ViewsTest, ChangesAreCountedByWhatHappened) {
  v1::Revision revision;
  revision.add_changes()->set_operation(v1::Change::DELETED);
  revision.add_changes()->set_operation(v1::Change::CREATED);
  revision.add_changes()->set_operation(v1::Change::CREATED);
  EXPECT_EQ(countChanges(revision.changes(), 3), "2 created, 1 deleted");
  EXPECT_EQ(countChanges(revision.changes(), 2000), "2000 changes");
  std::ostringstream out;
  printChanges(revision.changes(), 2000, out);
  EXPECT_NE(out.str().find("and 1997 more"), std::string::npos);
}

TEST(ViewsTest, TimesAreUtcInSeconds) {
  google::protobuf::Timestamp time;
  EXPECT_EQ(timeText(time), "");
  time.set_seconds(1'700'000'000);
  time.set_nanos(5);
  EXPECT_EQ(timeText(time), "2023-11-14T22:13:20Z");
}

}  // namespace
}  // namespace convoy::tools::ctl
