#pragma once

// Where pools get their connections and codecs from: the seam for tests, and for tls/ later. Called
// on the workers' threads, so an implementation has no state, or one per worker.

#include <cstdint>
#include <memory>

#include "proxy/event/loop.h"
#include "proxy/http/codec.h"
#include "proxy/net/connection.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

struct UpstreamCodec {
  std::unique_ptr<http::ClientCodec> codec;
  uint32_t max_streams = 1;  // at a time; at least 1
};

class UpstreamIo {
 public:
  // As net::Connection::connect().
  virtual std::unique_ptr<net::Connection> connect(event::Loop& loop, const net::Address& to,
                                                   const net::Address* bind_to,
                                                   net::ConnectionHandler& handler) = 0;
  virtual UpstreamCodec createCodec(const ClusterSpec& spec, http::ClientCodecHandler& handler) = 0;

 protected:
  ~UpstreamIo() = default;
};

}  // namespace convoy::upstream
