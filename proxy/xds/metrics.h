#pragma once

// Metrics of the control-plane connection. Names are Envoy's where the meaning is; those without a
// counterpart say so. Written by main only: groups have one slot.

#include "proxy/observe/metrics.h"

namespace convoy::xds {

// Prefix "control_plane".
struct ControlPlaneMetrics {
  observe::Gauge connected_state;
  observe::Counter connect_attempt;
  observe::Counter stream_failure;
  observe::Counter garbage;
  observe::Counter response_too_large;
  observe::Counter unknown_type;
  observe::Gauge last_error_code;
  observe::Gauge ignored_fields;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("connected_state", self.connected_state,
            "1 while the control plane has answered on the present stream, else 0");
    visitor("connect_attempt", self.connect_attempt, "Streams that were started (Convoy's own)");
    visitor("stream_failure", self.stream_failure,
            "Streams that ended, for whatever reason (Convoy's own)");
    visitor("garbage", self.garbage,
            "Streams that we reset because a message made no sense (Convoy's own)");
    visitor("response_too_large", self.response_too_large,
            "... of those, because a message was larger than is accepted (Convoy's own)");
    visitor("unknown_type", self.unknown_type,
            "Responses about a type that was not asked for, refused (Convoy's own)");
    visitor("last_error_code", self.last_error_code,
            "gRPC status with which the last stream ended; 0 while connected (Convoy's own)");
    visitor("ignored_fields", self.ignored_fields,
            "Fields of the resources held that have no effect on this node (Convoy's own)");
  }
};

// One group per type: prefixes "listener_manager.lds", "cluster_manager.cds" as Envoy's;
// "cluster_manager.eds" and "http.rds" are sums over what Envoy counts per cluster and per route
// table.
struct SubscriptionMetrics {
  observe::Counter update_attempt;
  observe::Counter update_success;
  observe::Counter update_rejected;
  observe::Counter update_failure;
  observe::Counter init_fetch_timeout;
  observe::Counter resource_rejected;
  observe::Counter resource_received;
  observe::Counter resource_removed;
  observe::Counter received_bytes;
  observe::Gauge version;
  observe::Gauge resources;
  observe::Gauge warming;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("update_attempt", self.update_attempt, "Fetches attempted: requests and responses");
    visitor("update_success", self.update_success, "Responses accepted whole");
    visitor("update_rejected", self.update_rejected, "Responses with a refused resource");
    visitor("update_failure", self.update_failure, "Fetches that ended with the stream");
    visitor("init_fetch_timeout", self.init_fetch_timeout,
            "Waits for a first resource that ended by their deadline");
    visitor("resource_rejected", self.resource_rejected, "Resources refused (Convoy's own)");
    visitor("resource_received", self.resource_received, "Resources in responses (Convoy's own)");
    visitor("resource_removed", self.resource_removed,
            "Removals of resources in responses (Convoy's own)");
    visitor("received_bytes", self.received_bytes, "Bytes of responses (Convoy's own)");
    visitor("version", self.version, "Hash of the last accepted response's version");
    visitor("resources", self.resources, "Resources accepted and held (Convoy's own)");
    visitor("warming", self.warming,
            "Resources that wait for others before they are put in force (Convoy's own)");
  }
};

}  // namespace convoy::xds
