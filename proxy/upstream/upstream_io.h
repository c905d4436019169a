#pragma once

// Where pools get their connections and codecs from: the seam for tests, and for tls/ later. Called
// on the workers' threads, so an implementation has no state, or one per worker.

#include <cstdint>
#include <memory>

#include "proxy/event/loop.h"
#include "proxy/http/codec.h"
#include "proxy/http/h2_metrics.h"
#include "proxy/net/connection.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

// How many a first connection is thought to carry until its SETTINGS say it: RFC 9113 6.5.2 asks
// servers to allow that many.
inline constexpr uint32_t kStreamsBeforeSettings = 100;

struct UpstreamCodec {
  std::unique_ptr<http::ClientCodec> codec;
  uint32_t max_streams = 1;            // at a time; 0: none until the codec tells
  uint64_t most_streams = UINT64_MAX;  // in the connection's life
};

class UpstreamIo {
 public:
  // As net::Connection::connect().
  virtual std::unique_ptr<net::Connection> connect(event::Loop& loop, const net::Address& to,
                                                   const net::Address* bind_to,
                                                   net::ConnectionHandler& handler) = 0;
  // For a connection that is open. `protocol` is one of the two, Auto having been decided.
  virtual UpstreamCodec createCodec(event::Loop& loop, const ClusterSpec& spec,
                                    UpstreamProtocol protocol, http::H2Metrics& metrics,
                                    http::ClientCodecHandler& handler) = 0;

 protected:
  ~UpstreamIo() = default;
};

}  // namespace convoy::upstream
