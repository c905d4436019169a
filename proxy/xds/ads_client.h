#pragma once

// The node's side of one delta ADS stream
// (envoy.service.discovery.v3.AggregatedDiscoveryService.DeltaAggregatedResources). It subscribes
// to all clusters and listeners (as the bootstrap says) and, by name, to the endpoints, secrets and
// route tables that these refer to; converts what comes to specs; hands them to the ResourceSink in
// the order that its header explains; and answers with ACK or NACK.
//
// Owner: the server; thread: main's loop. Nothing here blocks, and nothing is ever removed because
// the control plane is away: what is in force stays so until the control plane says otherwise.
//
// Order of calls, for one response:
//   Subscription::onResponse  envelope checked: type, names, duplicates, nonce
//   decode...()               each resource converted to its spec, or to ResourceErrors
//   ResourceSink::admit       the node's own objections
//   Warming                   holds back what is not usable yet
//   ResourceSink::apply       the rest, one publication
//   Subscription::finish      versions recorded, ACK or NACK queued
//   (un)subscription of endpoints, secrets and route tables whose references came or went
//   Stream::send              all that is due, once
//
// A failed stream is started again after a random time between 0 and min(cap, base * 2^failures)
// (full jitter), on the same connection if that still stands, else at the control plane's next
// address; a stream that served for a while starts the series afresh (ads_stream.h). A message that
// makes no sense, or is too large, is counted, the stream reset, and the next address tried.

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "api/convoy/ext/node_report.pb.h"
#include "proxy/config/context.h"
#include "proxy/event/loop.h"
#include "proxy/grpc/client.h"
#include "proxy/observe/metrics.h"
#include "proxy/xds/ads_stream.h"
#include "proxy/xds/decoder.h"
#include "proxy/xds/metrics.h"
#include "proxy/xds/node_reporter.h"
#include "proxy/xds/resource_archive.h"
#include "proxy/xds/resource_sink.h"
#include "proxy/xds/subscription.h"
#include "proxy/xds/warming.h"

namespace convoy::xds {

struct AdsOptions {
  std::string encoded_node;  // config::NodeIdentity::encoded
  bool listeners = true;     // dynamic_resources.lds_config is set
  bool clusters = true;      // dynamic_resources.cds_config is set
  event::Duration backoff_base = std::chrono::milliseconds(500);
  event::Duration backoff_cap = std::chrono::seconds(30);
  // How long the first answers are awaited; 0: for ever.
  event::Duration listeners_timeout = std::chrono::seconds(15);
  event::Duration clusters_timeout = std::chrono::seconds(15);
  size_t max_response_bytes = 64 * 1024 * 1024;
  // By SDS, of static listeners and clusters.
  std::vector<SecretUse> static_secrets = {};
  // Refuse resources with fields that this node's schema does not know (Envoy's
  // --reject-unknown-dynamic-fields).
  bool reject_unknown_fields = false;
};

// For the admin endpoints and for people.
struct AdsStatus {
  using State = AdsStream::State;
  struct Resource {
    std::string type_url;
    std::string name;
    std::string version;      // of what was accepted last; empty: nothing yet
    std::string waiting_for;  // what it waits for, in words; empty if it is in force
    std::string last_error;   // of a newer version that was refused; empty if none
  };
  State state = State::Stopped;
  std::string last_stream_error;  // empty while Active
  std::vector<Resource> resources;
};

class AdsClient final : private AdsStreamHandler {
 public:
  // Client, sink and registry outlive this object. The client's addresses are those of the static
  // cluster that the bootstrap names.
  AdsClient(event::Loop& loop, grpc::Client& client, AdsOptions options, ResourceSink& sink,
            observe::MetricRegistry& registry);
  AdsClient(const AdsClient&) = delete;
  AdsClient& operator=(const AdsClient&) = delete;

  void start();
  // Ends the stream, without a call to the sink. start() may follow.
  void stop();

  // Called once, when the first configuration is in force: all clusters and listeners of the first
  // responses have gone to apply(), their waits ended. The server is ready then.
  void onInitialized(std::function<void()> callback) { on_initialized_ = std::move(callback); }

  // Puts the report into the node's metadata from the next message on, and sends one if the control
  // plane is there. `ignored_fields` and their count are filled in here; the caller sets the rest.
  void setReport(ext::NodeReport report);

  // The host names of a cluster that was admitted have been looked up (ResourceSink::hostsFound).
  void onHostsFound(const std::string& cluster);

  AdsStatus status() const;
  // By type URL (config/resources.h).
  const ResourceArchive& archive() const { return archive_; }

 private:
  // In the order in which requests are sent.
  enum Kind : uint8_t { Clusters, Assignments, Secrets, Listeners, RouteTables, kKinds };
  struct Type {
    Type(std::string url, Subscription::Interest interest, std::string metric_prefix,
         observe::MetricRegistry& registry)
        : subscription(std::move(url), interest),
          group(registry, std::move(metric_prefix), {}, /*slots=*/1) {}
    SubscriptionMetrics& metrics() { return group.slot(0); }
    Subscription subscription;
    observe::MetricGroup<SubscriptionMetrics> group;
  };

  void onStreamStarted() override;
  absl::Status onResponse(const DeltaResponse& response) override;
  void onStreamWritable() override { sendDue(); }
  void onStreamEnded() override;

  bool subscribed(Kind kind) const;
  void refuseUnknownType(const DeltaResponse& response);
  std::vector<ext::ResourceError> take(Kind kind, const Update& update);
  template <class Spec>
  std::vector<ext::ResourceError> keepNotes(Kind kind, const Update& update,
                                            Decoded<Spec>& decoded);
  std::vector<ext::ResourceError> takeClusters(const Update& update);
  std::vector<ext::ResourceError> takeAssignments(const Update& update);
  std::vector<ext::ResourceError> takeSecrets(const Update& update);
  std::vector<ext::ResourceError> takeListeners(const Update& update);
  std::vector<ext::ResourceError> takeRouteTables(const Update& update);
  ResourceArchive::Names waitingNames(Kind kind) const;
  void keep(Kind kind, const DeltaResponse& response, const Update& update,
            const std::vector<ext::ResourceError>& errors);
  void countAnswer(Kind kind, const DeltaResponse& response,
                   const std::vector<ext::ResourceError>& errors);
  void settle();
  void onDeadline();
  void followReferences();
  void forget(Kind kind, std::string_view name);
  void updateGauges();
  void sendDue();
  void sendDue(Kind kind);
  void sendRequest(DeltaRequest request);

  event::Loop& loop_;
  const AdsOptions options_;
  ResourceSink& sink_;
  const config::Context context_;
  observe::MetricGroup<ControlPlaneMetrics> control_plane_;
  std::array<Type, kKinds> types_;
  Warming warming_;
  NodeReporter reporter_;
  ResourceArchive archive_;
  event::Timer warming_timer_;
  std::function<void()> on_initialized_;
  bool settling_ = false;               // settle() is running
  bool node_due_ = false;               // the stream has not been told who we are
  std::vector<DeltaRequest> refusals_;  // of responses about types that were not asked for
  Warming::Timeouts timeouts_counted_;
  AdsStream stream_;
};

}  // namespace convoy::xds
