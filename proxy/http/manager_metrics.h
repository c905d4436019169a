#pragma once

// Envoy's http.<stat_prefix>.* counters, one counter per kind of failure (http/failure.h), one per
// reason for which a codec refuses what a client sent (h1_error.h, h2_error.h), and one per
// response flag of Envoy's. A flag's counter is the sum of its failures', made when somebody reads:
// requests pay nothing for it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/failure.h"
#include "proxy/http/h1_error.h"
#include "proxy/http/h2_error.h"
#include "proxy/http/message.h"
#include "proxy/observe/metrics.h"

namespace convoy::http {

// These texts live as long as the process.
struct FailureMetric {
  std::string name;  // "downstream_rq_failed_" and the reason code
  std::string help;
};
const FailureMetric& failureMetric(Failure failure);

// Of a codec's table of errors, "downstream_http1_error." and the detail; those that only responses
// can have are not among them.
inline constexpr size_t kH1RequestErrors = static_cast<size_t>(H1Error::InvalidStatusLine);
inline constexpr size_t kH2RequestErrors = static_cast<size_t>(H2Error::InvalidStatus);
const std::vector<FailureMetric>& h1ErrorMetrics();
const std::vector<FailureMetric>& h2ErrorMetrics();

struct FlagMetric {
  std::string name;               // "downstream_rq_response_flag." and the flag
  std::vector<Failure> failures;  // that have it
};
// Every flag of the table of failures once, in its order.
const std::vector<FlagMetric>& flagMetrics();

struct ManagerMetrics {
  observe::Counter downstream_cx_total;
  observe::Gauge downstream_cx_active;
  observe::Counter downstream_cx_http1_total;
  observe::Gauge downstream_cx_http1_active;
  observe::Counter downstream_cx_http2_total;
  observe::Gauge downstream_cx_http2_active;
  observe::Counter downstream_cx_destroy;
  observe::Counter downstream_cx_idle_timeout;
  observe::Counter downstream_cx_max_duration_reached;
  observe::Counter downstream_cx_max_requests_reached;
  observe::Counter downstream_cx_protocol_error;
  observe::Counter downstream_cx_drain_close;
  observe::Counter downstream_cx_handshake_timeout;
  observe::Counter downstream_cx_rx_bytes_total;
  observe::Counter downstream_cx_rx_spliced_bytes_total;
  observe::Counter downstream_cx_splice_overflow;
  observe::Counter downstream_cx_upgrades_total;
  observe::Gauge downstream_cx_upgrades_active;
  observe::Counter downstream_rq_total;
  observe::Gauge downstream_rq_active;
  observe::Counter downstream_rq_http1_total;
  observe::Counter downstream_rq_http2_total;
  observe::Counter downstream_rq_completed;
  std::array<observe::Counter, 5> downstream_rq_class;  // 1xx to 5xx
  observe::Counter downstream_rq_rx_reset;
  observe::Counter downstream_rq_timeout;
  observe::Counter downstream_rq_header_timeout;
  observe::Counter downstream_rq_idle_timeout;
  observe::Counter downstream_rq_max_duration_reached;
  observe::Counter downstream_rq_body_unread;
  observe::Counter downstream_flow_control_paused_reading_total;
  observe::Counter no_route;
  observe::Counter dropped_headers_with_underscores;
  observe::Counter requests_rejected_with_underscores_in_headers;
  observe::Counter downstream_rq_rejected_path;
  observe::Counter downstream_rq_redirected_with_normalized_path;
  observe::Histogram downstream_rq_time;
  std::array<observe::Counter, static_cast<size_t>(Failure::kCount)> failures;
  std::array<observe::Counter, kH1RequestErrors> h1_errors;
  std::array<observe::Counter, kH2RequestErrors> h2_errors;
  observe::Counter retries_exhausted;  // the flag URX

  // A codec refused something for this reason; other texts than details of the tables do nothing.
  void countError(Protocol protocol, std::string_view detail);

  template <class Self, class Visitor>
  static void visit(Self& m, Visitor&& v) {
    visitConnections(m, v);
    visitRequests(m, v);
    visitFailures(m, v);
  }

 private:
  template <class Self, class Visitor>
  static void visitConnections(Self& m, Visitor& v) {
    v("downstream_cx_total", m.downstream_cx_total, "Client connections accepted");
    v("downstream_cx_active", m.downstream_cx_active, "Client connections open");
    v("downstream_cx_http1_total", m.downstream_cx_http1_total, "Client connections of HTTP/1.x");
    v("downstream_cx_http1_active", m.downstream_cx_http1_active,
      "Client connections of HTTP/1.x open");
    v("downstream_cx_http2_total", m.downstream_cx_http2_total, "Client connections of HTTP/2");
    v("downstream_cx_http2_active", m.downstream_cx_http2_active,
      "Client connections of HTTP/2 open");
    v("downstream_cx_destroy", m.downstream_cx_destroy, "Client connections closed");
    v("downstream_cx_idle_timeout", m.downstream_cx_idle_timeout,
      "Connections closed for being idle");
    v("downstream_cx_max_duration_reached", m.downstream_cx_max_duration_reached,
      "Connections closed for their age");
    v("downstream_cx_max_requests_reached", m.downstream_cx_max_requests_reached,
      "Connections ended for their number of requests");
    v("downstream_cx_protocol_error", m.downstream_cx_protocol_error,
      "Connections closed because the client broke the protocol");
    v("downstream_cx_drain_close", m.downstream_cx_drain_close, "Connections closed by draining");
    v("downstream_cx_transport_socket_connect_timeout", m.downstream_cx_handshake_timeout,
      "Connections closed because the transport's handshake was not done in time");
    v("downstream_cx_rx_bytes_total", m.downstream_cx_rx_bytes_total,
      "Bytes received from clients");
    v("downstream_cx_rx_spliced_bytes_total", m.downstream_cx_rx_spliced_bytes_total,
      "Of these, body bytes that the kernel moved on without the proxy reading them");
    v("downstream_cx_splice_overflow", m.downstream_cx_splice_overflow,
      "Times body bytes from clients were copied for want of a pipe");
    v("downstream_cx_upgrades_total", m.downstream_cx_upgrades_total,
      "Tunnels opened (WebSocket and other upgrades, CONNECT)");
    v("downstream_cx_upgrades_active", m.downstream_cx_upgrades_active, "Tunnels open");
  }

  template <class Self, class Visitor>
  static void visitRequests(Self& m, Visitor& v) {
    v("downstream_rq_total", m.downstream_rq_total, "Requests received");
    v("downstream_rq_active", m.downstream_rq_active, "Requests being served");
    v("downstream_rq_http1_total", m.downstream_rq_http1_total, "Requests of HTTP/1.x received");
    v("downstream_rq_http2_total", m.downstream_rq_http2_total, "Requests of HTTP/2 received");
    v("downstream_rq_completed", m.downstream_rq_completed, "Requests answered");
    static constexpr const char* kClasses[] = {"downstream_rq_1xx", "downstream_rq_2xx",
                                               "downstream_rq_3xx", "downstream_rq_4xx",
                                               "downstream_rq_5xx"};
    for (size_t i = 0; i < 5; ++i) {
      v(kClasses[i], m.downstream_rq_class[i], "Responses by the class of their status");
    }
    v("downstream_rq_rx_reset", m.downstream_rq_rx_reset, "Requests that the client broke off");
    v("downstream_rq_timeout", m.downstream_rq_timeout, "Requests that took too long to arrive");
    v("downstream_rq_header_timeout", m.downstream_rq_header_timeout,
      "Request heads that took too long to arrive");
    v("downstream_rq_idle_timeout", m.downstream_rq_idle_timeout, "Requests ended for being idle");
    v("downstream_rq_max_duration_reached", m.downstream_rq_max_duration_reached,
      "Requests ended for their age");
    v("downstream_rq_body_unread", m.downstream_rq_body_unread,
      "Requests whose body was not read to its end, since the answer was complete before it");
    v("downstream_flow_control_paused_reading_total",
      m.downstream_flow_control_paused_reading_total,
      "Times a client was made to wait because the far side was slow");
    v("no_route", m.no_route, "Requests that matched no route");
    v("dropped_headers_with_underscores", m.dropped_headers_with_underscores,
      "Header fields dropped for an underscore in their name");
    v("requests_rejected_with_underscores_in_headers",
      m.requests_rejected_with_underscores_in_headers,
      "Requests refused for an underscore in a header's name");
    v("downstream_rq_rejected_path", m.downstream_rq_rejected_path,
      "Requests refused because their path cannot be normalized");
    v("downstream_rq_redirected_with_normalized_path",
      m.downstream_rq_redirected_with_normalized_path,
      "Requests redirected to a path without escaped slashes");
    v("downstream_rq_time", m.downstream_rq_time,
      "Time from a request's head to its end, in milliseconds");
  }

  template <class Self, class Visitor>
  static void visitFailures(Self& m, Visitor& v) {
    for (size_t i = 1; i < m.failures.size(); ++i) {
      const FailureMetric& metric = failureMetric(static_cast<Failure>(i));
      v(metric.name, m.failures[i], metric.help);
    }
    for (size_t i = 1; i < kH1RequestErrors; ++i) {
      v(h1ErrorMetrics()[i].name, m.h1_errors[i], h1ErrorMetrics()[i].help);
    }
    for (size_t i = 1; i < kH2RequestErrors; ++i) {
      v(h2ErrorMetrics()[i].name, m.h2_errors[i], h2ErrorMetrics()[i].help);
    }
    static constexpr const char* kFlags = "Requests by the response flag of the access log";
    for (const FlagMetric& flag : flagMetrics()) {
      observe::Counter sum;
      for (const Failure failure : flag.failures) {
        sum.add(m.failures[static_cast<size_t>(failure)].value());
      }
      v(flag.name, sum, kFlags);
    }
    v("downstream_rq_response_flag.URX", m.retries_exhausted, kFlags);
  }
};

}  // namespace convoy::http
