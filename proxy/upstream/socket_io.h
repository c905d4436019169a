#pragma once

// Connections over sockets, and HTTP/1.1 codecs: what the proxy runs on. Any thread.

#include "proxy/http/h1_limits.h"
#include "proxy/upstream/upstream_io.h"

namespace convoy::upstream {

class SocketIo final : public UpstreamIo {
 public:
  explicit SocketIo(http::H1Limits limits = {}) : h1_limits_(limits) {}

  std::unique_ptr<net::Connection> connect(event::Loop& loop, const net::Address& to,
                                           const net::Address* bind_to,
                                           net::ConnectionHandler& handler) override;
  // REQUIRES: the protocol is HTTP/1.1; config/ refuses others.
  UpstreamCodec createCodec(const ClusterSpec& spec, http::ClientCodecHandler& handler) override;

 private:
  const http::H1Limits h1_limits_;
};

}  // namespace convoy::upstream
