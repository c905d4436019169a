#pragma once

// The node's connection to its control plane: the gRPC client to the static cluster that the
// bootstrap names, and the delta ADS client on it. Thread: main's.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "proxy/config/bootstrap.h"
#include "proxy/event/loop.h"
#include "proxy/grpc/client.h"
#include "proxy/observe/metrics.h"
#include "proxy/xds/ads_client.h"
#include "proxy/xds/resource_sink.h"

namespace convoy::server {

class ControlPlane {
 public:
  // What wraps the connections to a cluster that speaks TLS, and main's index there.
  struct Transport {
    std::function<std::shared_ptr<net::TransportFactory>(const upstream::ClusterSpec&)> make;
    size_t slot = 0;
  };

  // The error says what is wrong with the bootstrap. The sink, the loop and the registry outlive
  // the result.
  static absl::StatusOr<std::unique_ptr<ControlPlane>> make(
      event::Loop& loop, const config::BootstrapSpec& bootstrap, const Transport& transport,
      bool reject_unknown_fields, xds::ResourceSink& sink, observe::MetricRegistry& registry);

  // `ready` is called once, when the first configuration is in force.
  void start(std::function<void()> ready);
  void stop() { ads_.stop(); }
  // Of the control plane, if its cluster has host names: where they lead from now on.
  void setAddresses(const upstream::AssignmentSpec& found);
  // The host names of a cluster that it sent have been looked up.
  void onHostsFound(const std::string& cluster) { ads_.onHostsFound(cluster); }
  // What this node tells of itself, from now on.
  void setReport(ext::NodeReport report) { ads_.setReport(std::move(report)); }
  xds::AdsStatus status() const { return ads_.status(); }
  const xds::ResourceArchive& archive() const { return ads_.archive(); }

 private:
  ControlPlane(event::Loop& loop, grpc::ClientOptions client, xds::AdsOptions ads,
               xds::ResourceSink& sink, observe::MetricRegistry& registry)
      : client_(loop, std::move(client)), ads_(loop, client_, std::move(ads), sink, registry) {}

  grpc::Client client_;
  xds::AdsClient ads_;
};

}  // namespace convoy::server
