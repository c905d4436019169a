#include "proxy/config/http2_options.h"

namespace convoy::config {

namespace {

// HPACK's tables are per connection, two of them, and filled by the peer.
constexpr uint32_t kMostHeaderTable = 1024 * 1024;

}  // namespace

http::H2Options toHttp2Options(const envoy::config::core::v3::Http2ProtocolOptions& proto,
                               base::FieldReport& report) {
  http::H2Options options;
  if (proto.has_max_concurrent_streams()) {
    options.max_concurrent_streams = proto.max_concurrent_streams().value();
  }
  if (proto.has_initial_stream_window_size()) {
    options.stream_window = proto.initial_stream_window_size().value();
  }
  if (proto.has_initial_connection_window_size()) {
    options.connection_window = proto.initial_connection_window_size().value();
  }
  if (proto.has_hpack_table_size()) {
    options.header_table = proto.hpack_table_size().value();
    if (options.header_table > kMostHeaderTable) {
      report.error("hpack_table_size", "out_of_range", std::to_string(options.header_table),
                   "at most 1048576: each connection holds two such tables");
    }
  }
  options.allow_extended_connect = proto.allow_connect();
  return options;
}

}  // namespace convoy::config
