#pragma once

// The node's side of one delta ADS stream
// (envoy.service.discovery.v3.AggregatedDiscoveryService.DeltaAggregatedResources). It subscribes
// to all clusters and listeners (as the bootstrap says) and, by name, to the endpoints and route
// tables that these refer to; converts what comes to specs; hands them to the ResourceSink in the
// order that its header explains; and answers with ACK or NACK.
//
// Owner: the server; thread: main's loop. Nothing here blocks, and nothing is ever removed because
// the control plane is away: what is in force stays so until the control plane says otherwise.
//
// Order of calls, for one response:
//   Subscription::onResponse  envelope checked: type, names, duplicates, nonce
//   Decoder                   each resource converted to its spec, or to ResourceErrors
//   ResourceSink::admit       the node's own objections
//   Warming                   holds back what is not usable yet
//   ResourceSink::apply       the rest, one publication
//   Subscription::finish      versions recorded, ACK or NACK queued
//   (un)subscription of endpoints and route tables whose references came or went
//   Stream::send              all that is due, once
//
// A failed stream is started again after a random time between 0 and min(cap, base * 2^failures)
// (full jitter), at the control plane's next address; a stream on which the control plane answered
// starts the series afresh. A message that cannot be parsed is counted, and the stream reset.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "api/convoy/ext/node_report.pb.h"
#include "proxy/event/loop.h"
#include "proxy/grpc/client.h"
#include "proxy/observe/metrics.h"
#include "proxy/xds/metrics.h"
#include "proxy/xds/resource_sink.h"

namespace convoy::xds {

struct AdsOptions {
  std::string encoded_node;  // config::NodeIdentity::encoded
  bool listeners = true;     // dynamic_resources.lds_config is set
  bool clusters = true;      // dynamic_resources.cds_config is set
  event::Duration backoff_base = std::chrono::milliseconds(500);
  event::Duration backoff_cap = std::chrono::seconds(30);
  event::Duration warming_timeout = std::chrono::seconds(15);
  size_t max_response_bytes = 64 * 1024 * 1024;
  // Refuse resources with fields that this node's schema does not know (Envoy's
  // --reject-unknown-dynamic-fields).
  bool reject_unknown_fields = false;
};

// For the admin endpoints and for people.
struct AdsStatus {
  enum class State : uint8_t {
    Stopped,  // start() was not called, or stop() was
    Opening,  // a stream is being opened; the control plane has not answered yet
    Active,   // it has
    Backoff,  // waiting to try again
  };
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

class AdsClient {
 public:
  // Client, sink and registry outlive this object. The client's addresses are those of the static
  // cluster that the bootstrap names.
  AdsClient(event::Loop& loop, grpc::Client& client, AdsOptions options, ResourceSink& sink,
            observe::MetricRegistry& registry);
  ~AdsClient();
  AdsClient(const AdsClient&) = delete;
  AdsClient& operator=(const AdsClient&) = delete;

  void start();
  // Ends the stream, without a call to the sink. start() may follow.
  void stop();

  // Called once, when the first configuration is in force: all clusters and listeners of the first
  // responses have gone to apply(), their waits ended. The server is ready then.
  void onInitialized(std::function<void()> callback);

  // Puts the report into the node's metadata from the next message on, and sends one if a stream is
  // open. `ignored_fields` is filled here; the caller sets the rest.
  void setReport(ext::NodeReport report);

  AdsStatus status() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace convoy::xds
