#pragma once

// What is known about one request while it is served and when it is logged. A plain record, owned
// by its stream; string views point into the stream's arena, into configuration that the stream
// pins, or into static tables.

#include <cstdint>
#include <string_view>

#include "proxy/event/clock.h"
#include "proxy/http/failure.h"
#include "proxy/http/message.h"
#include "proxy/http/session_binding.h"
#include "proxy/net/address.h"
#include "proxy/net/transport.h"

namespace convoy::http {

struct StreamInfo {
  // Loop time (coarse). Unset marks are the epoch's time_point{}.
  event::MonotonicTime started{};
  event::MonotonicTime request_received{};  // last byte of the request
  event::MonotonicTime response_started{};  // response head from the upstream
  event::MonotonicTime ended{};

  uint64_t bytes_received = 0;  // body bytes
  uint64_t bytes_sent = 0;
  uint16_t status = 0;             // 0: no response was sent
  uint8_t upstream_attempts = 0;   // 255: that many, or more
  bool retries_exhausted = false;  // it was not sent again because it had been as often as allowed
  int16_t grpc_status = -1;        // of a response to gRPC; -1: none came
  Failure failure = Failure::None;
  std::string_view details;       // more than info(failure).code when known, e.g. the codec's rule
  std::string_view timer_origin;  // where the time that ran out was set; empty: none did

  std::string_view request_id;
  std::string_view route_name;
  std::string_view virtual_host;
  std::string_view cluster;
  std::string_view upstream_host;  // address and port, text of a host that the router pins
  // Of the connection: the original ones, and the socket's (net/connection_addresses.h).
  const net::Address* downstream_remote = nullptr;
  const net::Address* downstream_local = nullptr;
  const net::Address* downstream_direct_remote = nullptr;
  const net::Address* downstream_direct_local = nullptr;
  std::string_view downstream_ip;                        // the client as far as it is trusted, text
  std::string_view forwarded_for;                        // X-Forwarded-For as it was received
  const net::Transport* downstream_transport = nullptr;  // of the connection; null: plain text
  const SessionBinding* session = nullptr;               // null: requests have no sessions here
  std::string_view upstream_transport_failure;           // a stable name; empty: none
};

}  // namespace convoy::http
