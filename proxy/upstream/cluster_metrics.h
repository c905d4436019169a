#pragma once

// Metrics of one cluster on one worker, under Envoy's names (prefix "cluster"). The membership
// gauges are written by main, in its own slot.

#include "proxy/http/h2_metrics.h"
#include "proxy/observe/metrics.h"

namespace convoy::upstream {

struct ClusterMetrics {
  // Connections.
  observe::Counter upstream_cx_total;
  observe::Gauge upstream_cx_active;
  observe::Counter upstream_cx_http1_total;
  observe::Counter upstream_cx_http2_total;
  observe::Counter upstream_cx_connect_fail;
  observe::Counter upstream_cx_connect_timeout;
  observe::Counter upstream_cx_idle_timeout;
  observe::Counter upstream_cx_max_duration_reached;
  observe::Counter upstream_cx_max_requests;
  observe::Counter upstream_cx_overflow;
  observe::Counter upstream_cx_protocol_error;
  observe::Counter upstream_cx_destroy;
  observe::Counter upstream_cx_destroy_local;
  observe::Counter upstream_cx_destroy_remote;
  observe::Counter upstream_cx_destroy_with_active_rq;
  observe::Counter upstream_cx_destroy_local_with_active_rq;
  observe::Counter upstream_cx_destroy_remote_with_active_rq;
  observe::Counter upstream_cx_none_healthy;
  observe::Counter lb_healthy_panic;
  observe::Counter lb_subsets_selected;
  observe::Counter lb_subsets_fallback;
  observe::Counter recovery_overflow;
  observe::Counter host_limit_passed_over;
  observe::Counter host_limit_overflow;
  observe::Counter connection_limit_waited;
  observe::Counter connection_limit_given_up;
  observe::Counter host_drain_timeout;
  observe::Counter override_host_selected;
  observe::Counter override_host_fallback;
  observe::Counter upstream_cx_rx_bytes_total;
  observe::Counter upstream_cx_rx_spliced_bytes_total;
  observe::Counter upstream_cx_splice_overflow;
  observe::Counter upstream_cx_upgrades_total;
  observe::Gauge upstream_cx_upgrades_active;
  observe::Histogram upstream_cx_connect_ms;
  // Requests.
  observe::Counter upstream_rq_total;
  observe::Gauge upstream_rq_active;
  observe::Counter upstream_rq_pending_total;
  observe::Gauge upstream_rq_pending_active;
  observe::Counter upstream_rq_pending_overflow;
  observe::Counter upstream_rq_pending_failure_eject;
  observe::Counter upstream_rq_cancelled;
  observe::Counter upstream_rq_timeout;
  observe::Counter upstream_rq_per_try_timeout;
  observe::Counter upstream_rq_per_try_idle_timeout;
  observe::Counter upstream_rq_rx_reset;
  observe::Counter upstream_rq_tx_reset;
  observe::Counter upstream_rq_retry;
  observe::Counter upstream_rq_retry_success;
  observe::Counter upstream_rq_retry_overflow;
  observe::Counter upstream_rq_retry_limit_exceeded;
  observe::Counter upstream_rq_retry_backoff_exponential;
  observe::Counter upstream_rq_retry_backoff_ratelimited;
  observe::Counter retry_or_shadow_abandoned;
  observe::Counter upstream_rq_completed;
  observe::Counter upstream_rq_1xx;
  observe::Counter upstream_rq_2xx;
  observe::Counter upstream_rq_3xx;
  observe::Counter upstream_rq_4xx;
  observe::Counter upstream_rq_5xx;
  observe::Histogram upstream_rq_time;
  // Sessions (Convoy's own).
  observe::Counter sticky_hit;
  observe::Counter sticky_miss;
  observe::Counter sticky_repicked;
  observe::Counter sticky_expired;
  observe::Counter sticky_tampered;
  observe::Counter sticky_evicted;
  observe::Gauge sticky_entries;
  // Back-pressure.
  observe::Counter upstream_flow_control_paused_reading_total;
  observe::Counter upstream_flow_control_resumed_reading_total;
  observe::Counter upstream_flow_control_backed_up_total;
  observe::Counter upstream_flow_control_drained_total;
  http::H2Metrics http2;
  // Membership (main).
  observe::Counter membership_change;
  observe::Gauge membership_total;
  observe::Gauge membership_healthy;
  observe::Gauge membership_degraded;
  observe::Gauge membership_excluded;
  observe::Gauge max_host_weight;
  observe::Gauge lb_subsets_active;
  observe::Gauge lb_subsets_overflow;
  observe::Gauge panic;
  observe::Counter assignment_update;

  // The counter of a status's class; of 2xx for anything odd below 100 or above 599.
  observe::Counter& byStatus(uint16_t status) {
    switch (status / 100) {
      case 1:
        return upstream_rq_1xx;
      case 3:
        return upstream_rq_3xx;
      case 4:
        return upstream_rq_4xx;
      case 5:
        return upstream_rq_5xx;
      default:
        return upstream_rq_2xx;
    }
  }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitConnections(self, visitor);
    visitRequests(self, visitor);
    visitSessions(self, visitor);
    visitRest(self, visitor);
  }

 private:
  template <class Self, class Visitor>
  static void visitConnections(Self& self, Visitor& visitor) {
    visitor("upstream_cx_total", self.upstream_cx_total, "Connections opened");
    visitor("upstream_cx_active", self.upstream_cx_active, "Connections open now");
    visitor("upstream_cx_http1_total", self.upstream_cx_http1_total, "HTTP/1.1 connections opened");
    visitor("upstream_cx_http2_total", self.upstream_cx_http2_total, "HTTP/2 connections opened");
    visitor("upstream_cx_connect_fail", self.upstream_cx_connect_fail,
            "Connections that could not be opened, time-outs included");
    visitor("upstream_cx_connect_timeout", self.upstream_cx_connect_timeout,
            "Connections that were not open in time");
    visitor("upstream_cx_idle_timeout", self.upstream_cx_idle_timeout,
            "Connections closed because no request used them for too long");
    visitor("upstream_cx_max_duration_reached", self.upstream_cx_max_duration_reached,
            "Connections closed because of their age");
    visitor("upstream_cx_max_requests", self.upstream_cx_max_requests,
            "Connections closed because they had carried their number of requests");
    visitor("upstream_cx_overflow", self.upstream_cx_overflow,
            "Times the connection circuit breaker was open when a connection was wanted");
    visitor("upstream_cx_protocol_error", self.upstream_cx_protocol_error,
            "Connections closed because the upstream broke the protocol");
    visitor("upstream_cx_destroy", self.upstream_cx_destroy, "Connections closed");
    visitor("upstream_cx_destroy_local", self.upstream_cx_destroy_local,
            "Connections closed by the proxy");
    visitor("upstream_cx_destroy_remote", self.upstream_cx_destroy_remote,
            "Connections closed by the upstream");
    visitor("upstream_cx_destroy_with_active_rq", self.upstream_cx_destroy_with_active_rq,
            "Connections closed with a request under way");
    visitor("upstream_cx_destroy_local_with_active_rq",
            self.upstream_cx_destroy_local_with_active_rq,
            "Connections closed by the proxy with a request under way");
    visitor("upstream_cx_destroy_remote_with_active_rq",
            self.upstream_cx_destroy_remote_with_active_rq,
            "Connections closed by the upstream with a request under way");
    visitor("upstream_cx_none_healthy", self.upstream_cx_none_healthy,
            "Times no host could be chosen because none is healthy");
    visitor("recovery.overflow", self.recovery_overflow,
            "Requests refused since hosts that come back after an outage may have no more "
            "(Convoy's own)");
    visitor("host_limit.passed_over", self.host_limit_passed_over,
            "Picks that passed over a host with as many connections as it may have (Convoy's own)");
    visitor(
        "host_limit.overflow", self.host_limit_overflow,
        "Requests refused since hosts had as many connections as they may, and no other had room "
        "(Convoy's own)");
    visitor("connection_limit.waited", self.connection_limit_waited,
            "Times requests began to wait for a connection that other hosts or workers had "
            "(Convoy's own)");
    visitor("connection_limit.given_up", self.connection_limit_given_up,
            "Connections closed since requests to other hosts or on other workers had none "
            "(Convoy's own)");
    visitor("host_drain_timeout", self.host_drain_timeout,
            "Hosts without new requests whose last ones were broken off (Convoy's own)");
    visitor("lb_healthy_panic", self.lb_healthy_panic,
            "Picks among the hosts of the panic mode, since too few can be used");
    visitor("lb_subsets_selected", self.lb_subsets_selected,
            "Picks among the hosts of the subset that the request asks for");
    visitor("lb_subsets_fallback", self.lb_subsets_fallback,
            "Picks by the fallback, since there is no such subset or none was asked for");
    visitor("upstream_cx_rx_bytes_total", self.upstream_cx_rx_bytes_total,
            "Bytes received from upstreams");
    visitor("upstream_cx_rx_spliced_bytes_total", self.upstream_cx_rx_spliced_bytes_total,
            "Of these, body bytes that the kernel moved on without the proxy reading them");
    visitor("upstream_cx_splice_overflow", self.upstream_cx_splice_overflow,
            "Times body bytes from upstreams were copied for want of a pipe");
    visitor("upstream_cx_upgrades_total", self.upstream_cx_upgrades_total,
            "Tunnels opened (WebSocket and other upgrades, CONNECT)");
    visitor("upstream_cx_upgrades_active", self.upstream_cx_upgrades_active, "Tunnels open");
    visitor("upstream_cx_connect_ms", self.upstream_cx_connect_ms,
            "Time to open a connection, in milliseconds");
  }

  template <class Self, class Visitor>
  static void visitRequests(Self& self, Visitor& visitor) {
    visitor("upstream_rq_total", self.upstream_rq_total, "Requests sent");
    visitor("upstream_rq_active", self.upstream_rq_active, "Requests under way");
    visitor("upstream_rq_pending_total", self.upstream_rq_pending_total,
            "Requests that had to wait for a connection");
    visitor("upstream_rq_pending_active", self.upstream_rq_pending_active,
            "Requests that wait for a connection now");
    visitor("upstream_rq_pending_overflow", self.upstream_rq_pending_overflow,
            "Requests refused by a circuit breaker");
    visitor("upstream_rq_pending_failure_eject", self.upstream_rq_pending_failure_eject,
            "Waiting requests that failed because a connection could not be opened");
    visitor("upstream_rq_cancelled", self.upstream_rq_cancelled,
            "Requests given up before they had a connection");
    visitor("upstream_rq_timeout", self.upstream_rq_timeout,
            "Requests whose response did not arrive in time");
    visitor("upstream_rq_per_try_timeout", self.upstream_rq_per_try_timeout,
            "Attempts whose response did not arrive in time");
    visitor("upstream_rq_per_try_idle_timeout", self.upstream_rq_per_try_idle_timeout,
            "Attempts in which the upstream said nothing for too long");
    visitor("upstream_rq_rx_reset", self.upstream_rq_rx_reset, "Requests reset by the upstream");
    visitor("upstream_rq_tx_reset", self.upstream_rq_tx_reset, "Requests reset by the proxy");
    visitor("upstream_rq_retry", self.upstream_rq_retry, "Requests sent again");
    visitor("upstream_rq_retry_success", self.upstream_rq_retry_success,
            "Requests that succeeded when sent again");
    visitor("upstream_rq_retry_overflow", self.upstream_rq_retry_overflow,
            "Requests not sent again because of the retry circuit breaker or budget");
    visitor("upstream_rq_retry_limit_exceeded", self.upstream_rq_retry_limit_exceeded,
            "Requests not sent again because they had been as often as allowed");
    visitor("upstream_rq_retry_backoff_exponential", self.upstream_rq_retry_backoff_exponential,
            "Retries that waited for a random time");
    visitor("upstream_rq_retry_backoff_ratelimited", self.upstream_rq_retry_backoff_ratelimited,
            "Retries that waited for as long as the upstream asked");
    visitor("retry_or_shadow_abandoned", self.retry_or_shadow_abandoned,
            "Requests not kept for a retry because their body was too large");
    visitor("upstream_rq_completed", self.upstream_rq_completed, "Requests answered");
    static constexpr const char* kClasses = "Responses by the class of their status";
    visitor("upstream_rq_1xx", self.upstream_rq_1xx, kClasses);
    visitor("upstream_rq_2xx", self.upstream_rq_2xx, kClasses);
    visitor("upstream_rq_3xx", self.upstream_rq_3xx, kClasses);
    visitor("upstream_rq_4xx", self.upstream_rq_4xx, kClasses);
    visitor("upstream_rq_5xx", self.upstream_rq_5xx, kClasses);
    visitor("upstream_rq_time", self.upstream_rq_time,
            "Time from the request's arrival to the end of its response, in milliseconds");
  }

  template <class Self, class Visitor>
  static void visitSessions(Self& self, Visitor& visitor) {
    visitor("sticky_hit", self.sticky_hit, "Requests that went to the host of their session");
    visitor("sticky_miss", self.sticky_miss, "Requests without a session");
    visitor("sticky_repicked", self.sticky_repicked,
            "Requests whose session's host gets no requests, so that another was chosen");
    visitor("sticky_expired", self.sticky_expired, "Requests with a session that was over");
    visitor("sticky_tampered", self.sticky_tampered,
            "Requests with a session that nobody with the keys has made");
    visitor("sticky_evicted", self.sticky_evicted,
            "Learned sessions that were forgotten to make room for others");
    visitor("sticky_entries", self.sticky_entries, "Learned sessions");
    visitor("override_host.selected", self.override_host_selected,
            "Requests that went to the host that their override header names (Convoy's own)");
    visitor("override_host.fallback", self.override_host_fallback,
            "Requests whose override header names no host that they may go to (Convoy's own)");
  }

  template <class Self, class Visitor>
  static void visitRest(Self& self, Visitor& visitor) {
    visitor("upstream_flow_control_paused_reading_total",
            self.upstream_flow_control_paused_reading_total,
            "Times a response was paused because the client is slower than the upstream");
    visitor("upstream_flow_control_resumed_reading_total",
            self.upstream_flow_control_resumed_reading_total,
            "Paused responses that went on or ended");
    visitor("upstream_flow_control_backed_up_total", self.upstream_flow_control_backed_up_total,
            "Times an upstream connection's write queue crossed its high watermark");
    visitor("upstream_flow_control_drained_total", self.upstream_flow_control_drained_total,
            "Times an upstream connection's write queue fell below its low watermark");
    http::H2Metrics::visit(self.http2, visitor);
    visitor("membership_change", self.membership_change,
            "Updates that added, removed or changed hosts");
    visitor("membership_total", self.membership_total, "Hosts");
    visitor("membership_healthy", self.membership_healthy, "Healthy hosts");
    visitor("membership_degraded", self.membership_degraded, "Degraded hosts");
    visitor("membership_excluded", self.membership_excluded,
            "Hosts that get no requests: unhealthy or draining (Convoy's meaning)");
    visitor("panic", self.panic,
            "1 while too few hosts of a priority or subset can be used and the panic mode says who "
            "serves (Convoy's own)");
    visitor("max_host_weight", self.max_host_weight, "The largest weight among the hosts");
    visitor("lb_subsets_active", self.lb_subsets_active, "Subsets of hosts");
    visitor("lb_subsets_overflow", self.lb_subsets_overflow,
            "Subsets that are left out since there are too many (Convoy's own)");
    visitor("assignment_update", self.assignment_update, "Assignments received (Convoy's own)");
  }
};

}  // namespace convoy::upstream
