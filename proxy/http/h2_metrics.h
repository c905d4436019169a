#pragma once

// What HTTP/2 codecs count, under Envoy's names: "http2.*" of all connections from clients,
// "cluster.<name>.http2.*" of those to a cluster. Convoy's own are those that Envoy has no limit
// for; all limits are paid from one budget (h2_flood.h).

#include <string_view>

#include "proxy/observe/metrics.h"

namespace convoy::http {

struct H2Metrics {
  observe::Gauge streams_active;
  observe::Counter rx_reset;
  observe::Counter tx_reset;
  observe::Counter goaway_sent;
  observe::Counter trailers;
  observe::Counter rx_messaging_error;
  observe::Counter header_overflow;
  observe::Counter tx_flush_timeout;
  observe::Counter keepalive_timeout;
  observe::Counter output_paused_reading;
  observe::Counter inbound_empty_frames_flood;
  observe::Counter inbound_priority_frames_flood;
  observe::Counter inbound_window_update_frames_flood;
  observe::Counter inbound_control_frames_flood;
  observe::Counter inbound_reset_frames_flood;
  observe::Counter inbound_continuation_frames_flood;
  observe::Counter inbound_header_bytes_flood;

  template <class Self, class Visitor>
  static void visit(Self& m, Visitor&& v) {
    v("http2.streams_active", m.streams_active, "HTTP/2 streams open");
    v("http2.rx_reset", m.rx_reset, "RST_STREAM frames received");
    v("http2.tx_reset", m.tx_reset, "RST_STREAM frames sent");
    v("http2.goaway_sent", m.goaway_sent, "GOAWAY frames sent");
    v("http2.trailers", m.trailers, "Messages received that had trailers");
    v("http2.rx_messaging_error", m.rx_messaging_error, "Malformed messages received");
    v("http2.header_overflow", m.header_overflow,
      "Messages received with too large or too many fields");
    v("http2.tx_flush_timeout", m.tx_flush_timeout,
      "Streams reset because the peer opened no window for the end of the response");
    v("http2.keepalive_timeout", m.keepalive_timeout,
      "Connections closed because nothing came after a PING");
    v("http2.output_paused_reading", m.output_paused_reading,
      "Times a client was not read because it took nothing of what it had asked for");
    visitFloods(m, v);
  }

 private:
  template <class Self, class Visitor>
  static void visitFloods(Self& m, Visitor& v) {
    v("http2.inbound_empty_frames_flood", m.inbound_empty_frames_flood,
      "Connections ended for too many DATA frames without data");
    v("http2.inbound_priority_frames_flood", m.inbound_priority_frames_flood,
      "Connections ended for too many PRIORITY frames");
    v("http2.inbound_window_update_frames_flood", m.inbound_window_update_frames_flood,
      "Connections ended for too many WINDOW_UPDATE frames");
    v("http2.inbound_control_frames_flood", m.inbound_control_frames_flood,
      "Connections ended for too many PING, SETTINGS or GOAWAY frames, or ones of unknown types");
    v("http2.inbound_reset_frames_flood", m.inbound_reset_frames_flood,
      "Connections ended for too many streams that were opened and reset at once");
    v("http2.inbound_continuation_frames_flood", m.inbound_continuation_frames_flood,
      "Connections ended for too many CONTINUATION frames");
    v("http2.inbound_header_bytes_flood", m.inbound_header_bytes_flood,
      "Connections ended for header blocks that decode to much more than a head may have");
  }
};

// Those of clients' connections, in a group of their own: "http2" is the group's name.
struct H2ServerMetrics final : H2Metrics {
  template <class Self, class Visitor>
  static void visit(Self& m, Visitor&& v) {
    H2Metrics::visit(m, [&v](std::string_view name, auto& metric, std::string_view help) {
      v(name.substr(std::string_view("http2.").size()), metric, help);
    });
  }
};

}  // namespace convoy::http
