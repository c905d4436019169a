#include "controlplane/compile/snapshot.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "controlplane/compile/tls.h"
#include "test/controlplane/common/certificate_text.h"
#include "test/controlplane/common/model_text.h"

namespace convoy::controlplane::compile {
namespace {

// A configuration that changes, and the snapshots that follow it.
class Follower {
 public:
  // Makes `config` the whole truth; the names of the xDS resources that were compiled for it.
  std::string become(const std::string& config) {
    manage::Plan plan = planText(model_, config);
    std::vector<std::string> compiled;
    snapshot_ = Snapshot::next(
        *snapshot_, plan.model, keysOf(plan),
        [&compiled](const store::Key& source, const auto& message) {
          compiled.push_back(absl::StrCat(message.GetDescriptor()->name(), "<", source.name));
        });
    model_ = std::move(plan.model);
    return absl::StrJoin(compiled, " ");
  }

  // Every resource of a node's view, sorted.
  std::string viewText(const model::Labels& labels = {}) const {
    std::vector<std::string> names;
    const ViewPtr view = snapshot_->viewFor(labels);
    for (const Type type : kTypes) {
      for (const auto& [name, encoded] : view->of(type)) {
        names.push_back(absl::StrCat(indexOf(type), ":", name));
      }
    }
    std::sort(names.begin(), names.end());
    return absl::StrJoin(names, " ");
  }

  // The same resources as compiling everything anew gives.
  void expectSameAsAnew(const model::Labels& labels = {}) const {
    const auto anew = Snapshot::compile(model_, [](const auto&, const auto&) {});
    const ViewDifference found = difference(*snapshot_->viewFor(labels), *anew->viewFor(labels));
    for (const auto& names : found) EXPECT_EQ(absl::StrJoin(names, " "), "");
    EXPECT_EQ(snapshot_->revision(), anew->revision());
  }

  const Snapshot& snapshot() const { return *snapshot_; }
  const model::Model& model() const { return model_; }

 private:
  model::Model model_;
  SnapshotPtr snapshot_ = std::make_shared<Snapshot>();
};

constexpr char kTenLines[] = R"(
  listeners { name: "public" address: "0.0.0.0:8080" routes { pool: "web" } }
  pools { name: "web" backends { address: "10.0.0.1:80" } })";

TEST(SnapshotTest, ASecretOfItsOwnChangesNothingElse) {
  Follower follower;
  follower.become(certificateText("web", "ecdsa") + R"(
    listeners { name: "l" address: "0.0.0.0:1" tls { certificates: "web" } }
    listeners { name: "off" address: "0.0.0.0:2" tls { certificates: "web" session_tickets: OFF }
                nodes { labels { key: "role" value: "off" } } })");
  const Snapshot& before = follower.snapshot();
  const auto with = [&before](const std::string& key) {
    return Snapshot::withSecret(before,
                                encode(Type::Secret, kTicketSecret, compileTicketKeys({key})));
  };
  const auto first = with("a"), second = with("b");
  EXPECT_EQ(second->revision(), before.revision());
  EXPECT_GT(second->sequence(), before.sequence());
  const ViewPtr from = first->viewFor({}), to = second->viewFor({});
  EXPECT_EQ(to->sequence, second->sequence());
  const ViewDifference changes = difference(*from, *to);
  for (const Type type : kTypes) {
    EXPECT_EQ(absl::StrJoin(changes[indexOf(type)], " "),
              type == Type::Secret ? kTicketSecret : "");
  }
  // It stays when the configuration changes.
  const auto next = Snapshot::next(*second, follower.model(), {}, [](const auto&, const auto&) {});
  EXPECT_EQ(next->viewFor({})->find(Type::Secret, kTicketSecret),
            to->find(Type::Secret, kTicketSecret));
  EXPECT_GT(next->sequence(), second->sequence());
}

TEST(SnapshotTest, HeaderEditsOfAPoolArePartOfItsRoutes) {
  const auto config = [](const std::string& web) {
    return R"(listeners { name: "own" address: "0.0.0.0:1" routes { pool: "web" } }
              listeners { name: "shared" address: "0.0.0.0:2" route_table: "t" }
              listeners { name: "other" address: "0.0.0.0:3" routes { pool: "idle" } }
              route_tables { name: "t" routes { pool: "web" } }
              pools { name: "idle" } pools { name: "web" )" +
           web + "}";
  };
  Follower follower;
  follower.become(config(""));
  follower.expectSameAsAnew();
  EXPECT_EQ(follower.become(config(R"(headers { request { remove: "a" } })")),
            "Cluster<web RouteConfiguration<own RouteConfiguration<t");
  follower.expectSameAsAnew();
  EXPECT_EQ(follower.become(config("")), "Cluster<web RouteConfiguration<own RouteConfiguration<t");
  follower.expectSameAsAnew();
}

// A pool with sessions needs a filter in the listeners that reach it.
TEST(SnapshotTest, SessionsOfAPoolReachItsRoutesAndListeners) {
  const auto config = [](const std::string& web, const std::string& table) {
    return R"(listeners { name: "own" address: "0.0.0.0:1" routes { pool: "web" } }
              listeners { name: "shared" address: "0.0.0.0:2" route_table: "t" }
              route_tables { name: "t" routes { pool: ")" +
           table + R"(" } } pools { name: "idle" } pools { name: "web" )" + web + "}";
  };
  Follower follower;
  follower.become(config("", "web"));
  EXPECT_EQ(follower.become(config("sticky { source_ip {} }", "web")),
            "Cluster<web RouteConfiguration<own RouteConfiguration<t Listener<own Listener<shared");
  follower.expectSameAsAnew();
  EXPECT_EQ(follower.become(config("sticky { source_ip {} strict: true }", "web")),
            "Cluster<web RouteConfiguration<own RouteConfiguration<t");
  follower.expectSameAsAnew();
  EXPECT_EQ(follower.become(config("sticky { source_ip {} strict: true }", "idle")),
            "RouteConfiguration<t Listener<shared");
  follower.expectSameAsAnew();
  EXPECT_EQ(follower.become(config("", "idle")), "Cluster<web RouteConfiguration<own Listener<own");
  follower.expectSameAsAnew();
}

TEST(SnapshotTest, TheRedisOfAPoolComesWithIt) {
  const auto config = [](const std::string& sticky) {
    return R"(listeners { name: "public" address: "0.0.0.0:1" routes { pool: "web" } }
              pools { name: "web" )" +
           sticky + "} " + authorityText("ca");
  };
  const std::string plain = R"(sticky { source_ip {} redis { address: "10.0.0.9:1" } })";
  Follower follower;
  EXPECT_EQ(follower.become(config("sticky { source_ip {} }")).find("Cluster<web Cluster<web"),
            std::string::npos);
  EXPECT_EQ(follower.become(config(plain)), "Cluster<web Cluster<web RouteConfiguration<public");
  EXPECT_EQ(follower.viewText(), "0:redis/web 0:web 1:web 2:public 3:listener/public");
  follower.expectSameAsAnew();
  follower.become(config(R"(sticky { source_ip {} redis { address: "10.0.0.9:1"
                            tls { ca: "ca" server_name: "r" } } })"));
  EXPECT_EQ(follower.viewText(), "0:redis/web 0:web 1:web 2:public 3:listener/public 4:ca")
      << "with the authority that its nodes need";
  follower.expectSameAsAnew();
  follower.become(config("sticky { source_ip {} }"));
  EXPECT_EQ(follower.viewText(), "0:web 1:web 2:public 3:listener/public");
  follower.expectSameAsAnew();
}

TEST(SnapshotTest, KeysFollowFromTheConfiguration) {
  const auto plan = planText({}, R"(
    listeners { name: "l" address: "0.0.0.0:1" routes { pool: "web" } }
    pools { name: "web" sticky { cookie {} } })");
  const auto snapshot = Snapshot::compile(
      plan.model, [](const auto&, const auto&) {},
      [](absl::string_view purpose, size_t) { return absl::StrCat("derived ", purpose); });
  const auto next = Snapshot::next(*snapshot, plan.model, {{v1::KIND_LISTENER, "l"}},
                                   [](const auto&, const auto&) {});
  for (const auto& one : {snapshot, next}) {
    const auto route = one->viewFor({})->find(Type::RouteConfiguration, "listener/l");
    ASSERT_NE(route, nullptr);
    EXPECT_EQ(route->version,
              snapshot->viewFor({})->find(Type::RouteConfiguration, "listener/l")->version);
  }
}

TEST(SnapshotTest, CompilesWhatIsThere) {
  Follower follower;
  EXPECT_EQ(follower.viewText(), "");
  EXPECT_EQ(follower.become(kTenLines),
            "Listener<public RouteConfiguration<public Cluster<web ClusterLoadAssignment<web");
  EXPECT_EQ(follower.viewText(), "0:web 1:web 2:public 3:listener/public");
  EXPECT_EQ(follower.snapshot().revision(), 1);
}

TEST(SnapshotTest, APoolWithHostNamesHasItsBackendsInTheCluster) {
  const auto config = [](const std::string& pool) {
    return R"(listeners { name: "public" address: "0.0.0.0:8080" routes { pool: "web" } }
              pools { name: "web" )" +
           pool + "}";
  };
  Follower follower;
  EXPECT_EQ(follower.become(config(R"(backends { address: "app.example:80" })")),
            "Listener<public RouteConfiguration<public Cluster<web Cluster<web");
  EXPECT_EQ(follower.viewText(), "0:web 2:public 3:listener/public");
  follower.expectSameAsAnew();
  const auto version = [&follower](const model::Labels& labels = {}) {
    return follower.snapshot().viewFor(labels)->find(Type::Cluster, "web")->version;
  };
  const std::string first = version();
  // Another backend, another setting of the pool: another cluster.
  follower.become(config(R"(backends { address: "app.example:80" }
                            backends { address: "10.0.0.1:80" })"));
  const std::string second = version();
  EXPECT_NE(second, first);
  follower.expectSameAsAnew();
  follower.become(config(R"(connect_timeout { seconds: 1 } backends { address: "app.example:80" }
                            backends { address: "10.0.0.1:80" })"));
  EXPECT_NE(version(), second);
  follower.expectSameAsAnew();
  // No name is left, and one comes back.
  follower.become(config(R"(backends { address: "10.0.0.1:80" })"));
  EXPECT_EQ(follower.viewText(), "0:web 1:web 2:public 3:listener/public");
  follower.expectSameAsAnew();
  follower.become(config(R"(backends { address: "app.example:80" })"));
  EXPECT_EQ(version(), first);
  EXPECT_EQ(follower.viewText(), "0:web 2:public 3:listener/public");
  // Nodes see what selects them.
  follower.become(
      config(R"(backends { address: "app.example:80" nodes { labels { key: "z" value: "1" } } }
                            backends { address: "10.0.0.1:80" })"));
  EXPECT_NE(version({{"z", "1"}}), version());
  EXPECT_EQ(follower.viewText(), "0:web 2:public 3:listener/public");
  follower.expectSameAsAnew({{"z", "1"}});
}

TEST(SnapshotTest, CompilesOnlyWhatChanged) {
  Follower follower;
  follower.become(kTenLines);
  struct Step {
    std::string config;
    std::string compiled;
  };
  const Step steps[] = {
      // A weight.
      {R"(listeners { name: "public" address: "0.0.0.0:8080" routes { pool: "web" } }
          pools { name: "web" backends { address: "10.0.0.1:80" weight: 2 } })",
       "ClusterLoadAssignment<web"},
      // The pool alone.
      {R"(listeners { name: "public" address: "0.0.0.0:8080" routes { pool: "web" } }
          pools { name: "web" algorithm: ALGORITHM_ROUND_ROBIN backends { address: "10.0.0.1:80" weight: 2 } })",
       "Cluster<web"},
      // A pool that nothing reaches.
      {R"(listeners { name: "public" address: "0.0.0.0:8080" routes { pool: "web" } }
          pools { name: "web" algorithm: ALGORITHM_ROUND_ROBIN backends { address: "10.0.0.1:80" weight: 2 } }
          pools { name: "other" })",
       "Cluster<other ClusterLoadAssignment<other"},
      // The last backend goes.
      {R"(listeners { name: "public" address: "0.0.0.0:8080" routes { pool: "web" } }
          pools { name: "web" algorithm: ALGORITHM_ROUND_ROBIN } pools { name: "other" })",
       "ClusterLoadAssignment<web"},
      // The other pool goes.
      {R"(listeners { name: "public" address: "0.0.0.0:8080" routes { pool: "web" } }
          pools { name: "web" algorithm: ALGORITHM_ROUND_ROBIN })",
       ""},
  };
  for (const Step& step : steps) {
    EXPECT_EQ(follower.become(step.config), step.compiled) << step.config;
    follower.expectSameAsAnew();
    EXPECT_EQ(follower.viewText(), "0:web 1:web 2:public 3:listener/public");
  }
}

TEST(SnapshotTest, AHashKeyIsPartOfTheRoutesToItsPool) {
  Follower follower;
  follower.become(kTenLines);
  constexpr char kListener[] =
      R"(listeners { name: "public" address: "0.0.0.0:8080" routes { pool: "web" } } )";
  const auto with = [&](const std::string& fields) {
    const std::string changed = follower.become(
        kListener + (R"(pools { name: "web" backends { address: "10.0.0.1:80" } )" + fields + "}"));
    follower.expectSameAsAnew();
    return changed;
  };
  EXPECT_EQ(with("algorithm: ALGORITHM_RANDOM"), "Cluster<web");
  EXPECT_EQ(with("algorithm: ALGORITHM_MAGLEV"), "Cluster<web RouteConfiguration<public");
  EXPECT_EQ(with("algorithm: ALGORITHM_MAGLEV hash_key { path: true }"),
            "Cluster<web RouteConfiguration<public");
  EXPECT_EQ(with("algorithm: ALGORITHM_MAGLEV hash_key { path: true } max_load_percent: 150"),
            "Cluster<web");
}

TEST(SnapshotTest, ListenersShareTables) {
  Follower follower;
  follower.become(R"(
    listeners { name: "a" address: "0.0.0.0:1" route_table: "t" }
    listeners { name: "b" address: "0.0.0.0:2" route_table: "t" }
    listeners { name: "c" address: "0.0.0.0:3" routes { direct_response { status: 200 } } }
    route_tables { name: "t" routes { pool: "p" } routes { pool: "q" } }
    pools { name: "p" } pools { name: "q" })");
  EXPECT_EQ(follower.viewText(), "0:p 0:q 1:p 1:q 2:a 2:b 2:c 3:listener/c 3:t");
  // From the table to routes of its own; the table stays for the other.
  EXPECT_EQ(follower.become(R"(
    listeners { name: "a" address: "0.0.0.0:1" routes { pool: "p" } }
    listeners { name: "b" address: "0.0.0.0:2" route_table: "t" }
    route_tables { name: "t" routes { pool: "q" } }
    pools { name: "p" } pools { name: "q" })"),
            "Listener<a RouteConfiguration<a RouteConfiguration<t");
  EXPECT_EQ(follower.viewText(), "0:p 0:q 1:p 1:q 2:a 2:b 3:listener/a 3:t");
  follower.expectSameAsAnew();
  // And everything goes.
  follower.become(R"(route_tables { name: "u" })");
  EXPECT_EQ(follower.viewText(), "");
  follower.expectSameAsAnew();
}

TEST(SnapshotTest, ARenewedCertificateChangesNothingElse) {
  const std::string rest = R"(
    listeners { name: "l" address: "0.0.0.0:1" tls { certificates: "web" } routes { pool: "p" } }
    pools { name: "p" tls { server_name: "a" ca: "ca" } })" +
                           authorityText("ca");
  Follower follower;
  follower.become(certificateText("web", "ecdsa") + rest);
  EXPECT_EQ(follower.viewText(), "0:p 1:p 2:l 3:listener/l 4:ca 4:web");
  EXPECT_EQ(follower.become(certificateText("web", "renewed") + rest), "Secret<web");
  EXPECT_EQ(follower.viewText(), "0:p 1:p 2:l 3:listener/l 4:ca 4:web");
  follower.expectSameAsAnew();
}

TEST(SnapshotTest, NodesReachTheSecretsOfWhatTheyGetAndNoOthers) {
  Follower follower;
  follower.become(certificateText("web", "ecdsa") + certificateText("edge", "rsa") +
                  certificateText("client", "client") + certificateText("idle", "other") +
                  authorityText("ca") + R"(
    listeners { name: "all" address: "0.0.0.0:1" tls { certificates: "web" } }
    listeners { name: "edge" address: "0.0.0.0:2" nodes { labels { key: "role" value: "edge" } }
                tls { certificates: "edge" client_certificates { ca: "ca" } }
                routes { pool: "p" } }
    pools { name: "p" tls { server_name: "a" ca: "ca" certificate: "client" } })");
  EXPECT_EQ(follower.viewText(), "2:all 3:listener/all 4:web");
  EXPECT_EQ(follower.viewText({{"role", "edge"}}),
            "0:p 1:p 2:all 2:edge 3:listener/all 3:listener/edge 4:ca 4:client 4:edge 4:web");
  follower.become(certificateText("web", "ecdsa") + R"(
    listeners { name: "all" address: "0.0.0.0:1" tls { certificates: "web" } })");
  EXPECT_EQ(follower.viewText({{"role", "edge"}}), "2:all 3:listener/all 4:web");
  follower.expectSameAsAnew();
}

TEST(SnapshotTest, NodesGetWhatSelectsThem) {
  Follower follower;
  follower.become(R"(
    listeners { name: "all" address: "0.0.0.0:1" routes { pool: "p" } }
    listeners { name: "edge" address: "0.0.0.0:2" nodes { labels { key: "role" value: "edge" } }
                routes { pool: "q" } }
    pools { name: "p" backends { address: "1.1.1.1:1" nodes { labels { key: "zone" value: "a" } } } }
    pools { name: "q" })");
  EXPECT_EQ(follower.viewText(), "0:p 1:p 2:all 3:listener/all");
  EXPECT_EQ(follower.viewText({{"role", "edge"}}),
            "0:p 0:q 1:p 1:q 2:all 2:edge 3:listener/all 3:listener/edge");
  follower.expectSameAsAnew({{"role", "edge"}, {"zone", "a"}});
}

TEST(SnapshotTest, NodesThatNothingTellsApartShareAView) {
  Follower follower;
  follower.become(R"(
    listeners { name: "edge" address: "0.0.0.0:2" nodes { labels { key: "role" value: "edge" } } }
    pools { name: "p" backends { address: "1.1.1.1:1" nodes { labels { key: "zone" value: "a" } } } })");
  const Snapshot& snapshot = follower.snapshot();
  EXPECT_EQ(snapshot.viewFor({}), snapshot.viewFor({{"role", "core"}, {"rack", "7"}}));
  EXPECT_NE(snapshot.viewFor({}), snapshot.viewFor({{"role", "edge"}}));
  EXPECT_NE(snapshot.viewFor({}), snapshot.viewFor({{"zone", "a"}}));
}

}  // namespace
}  // namespace convoy::controlplane::compile
