#pragma once

// Connections over sockets, and the codecs of HTTP: what the proxy runs on. Any thread.

#include "proxy/http/h1_limits.h"
#include "proxy/upstream/upstream_io.h"

namespace convoy::upstream {

class SocketIo final : public UpstreamIo {
 public:
  explicit SocketIo(http::H1Limits limits = {}) : h1_limits_(limits) {}

  std::unique_ptr<net::Connection> connect(event::Loop& loop, const net::Address& to,
                                           const net::Address* bind_to,
                                           net::ConnectionHandler& handler) override;
  UpstreamCodec createCodec(event::Loop& loop, const ClusterSpec& spec, UpstreamProtocol protocol,
                            http::H2Metrics& metrics, http::ClientCodecHandler& handler) override;

 private:
  const http::H1Limits h1_limits_;
};

}  // namespace convoy::upstream
