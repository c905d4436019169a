#pragma once

// An AdsClient and an XdsServer on one loop, on simulated time, with a sink that writes down what
// it is given.

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "proxy/config/resources.h"
#include "proxy/grpc/client.h"
#include "proxy/xds/ads_client.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"
#include "test/common/xds_server.h"
#include "test/proxy/xds/resources.h"

namespace convoy::xds {

class RecordingSink final : public ResourceSink {
 public:
  std::vector<ext::ResourceError> admit(const Changes& proposed) override {
    ++admits;
    std::vector<ext::ResourceError> errors;
    const auto refuse = [&](const std::string& type_url, const std::string& name) {
      if (!refused.contains(name)) return;
      ext::ResourceError error;
      error.set_type_url(type_url);
      error.set_name(name);
      error.set_rule("refused_by_sink");
      error.set_reason("the test says no");
      errors.push_back(std::move(error));
    };
    for (const auto& spec : proposed.clusters) refuse(config::kClusterType, spec->name);
    for (const auto& spec : proposed.listeners) refuse(config::kListenerType, spec->name);
    return errors;
  }

  void apply(const Changes& changes) override {
    ++applies;
    for (const auto& spec : changes.clusters) clusters[spec->name] = spec;
    for (const auto& [cluster, assignment] : changes.endpoints) endpoints[cluster] = assignment;
    for (const auto& spec : changes.routes) routes[spec->name] = spec;
    for (const auto& spec : changes.listeners) listeners[spec->name] = spec;
    for (const std::string& name : changes.removed_listeners) listeners.erase(name);
    for (const std::string& name : changes.removed_routes) routes.erase(name);
    for (const std::string& name : changes.removed_clusters) {
      clusters.erase(name);
      endpoints.erase(name);
    }
    last = changes;
    if (when_applied) when_applied();
  }

  bool hostsFound(const std::string& cluster) override { return !looked_up.contains(cluster); }

  std::set<std::string> refused;
  std::set<std::string> looked_up;  // now, and not found yet
  int admits = 0;
  int applies = 0;
  Changes last;
  std::map<std::string, std::shared_ptr<const upstream::ClusterSpec>> clusters;
  std::map<std::string, std::shared_ptr<const upstream::AssignmentSpec>> endpoints;
  std::map<std::string, std::shared_ptr<const route::RouteTableSpec>> routes;
  std::map<std::string, std::shared_ptr<const net::ListenerSpec>> listeners;
  std::function<void()> when_applied;
};

class AdsFixture : public testing::Test {
 protected:
  AdsFixture() { clock.attach(test_loop.loop()); }
  ~AdsFixture() override {
    ads.reset();
    client.reset();
    server.reset();
    test_loop.runReady();
    clock.detach(test_loop.loop());
  }

  AdsOptions options() {
    envoy::config::core::v3::Node node;
    node.set_id("node-1");
    node.set_cluster("edge");
    return {.encoded_node = node.SerializeAsString()};
  }
  void start(AdsOptions with) {
    client = std::make_unique<grpc::Client>(
        loop, grpc::ClientOptions{.addresses = {server->address()}, .authority = "xds"});
    ads = std::make_unique<AdsClient>(loop, *client, std::move(with), sink, registry);
    ads->onInitialized([this] { ++initialized; });
    ads->start();
  }
  void start() { start(options()); }
  [[nodiscard]] bool until(const std::function<bool()>& condition) {
    return test_loop.runUntil(condition);
  }
  // The control plane has got an answer to everything, on its stream number `streams` or later.
  [[nodiscard]] bool untilSettled(size_t streams = 1) {
    return until([this, streams] { return server->streams() >= streams && server->settled(); });
  }
  // Sends what was set, and waits for the answers.
  [[nodiscard]] bool pushed() {
    server->push();
    return untilSettled();
  }
  AdsStatus::State state() { return ads->status().state; }

  test::SimulatedClock clock;
  test::TestLoop test_loop{clock};
  event::Loop& loop = test_loop.loop();
  observe::MetricRegistry registry;
  std::unique_ptr<test::XdsServer> server = std::make_unique<test::XdsServer>(loop);
  RecordingSink sink;
  std::unique_ptr<grpc::Client> client;
  std::unique_ptr<AdsClient> ads;
  int initialized = 0;
};

}  // namespace convoy::xds
