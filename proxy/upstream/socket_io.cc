#include "proxy/upstream/socket_io.h"

#include "proxy/base/assert.h"
#include "proxy/http/h1_client_codec.h"
#include "proxy/http/h2_client_codec.h"

namespace convoy::upstream {

std::unique_ptr<net::Connection> SocketIo::connect(event::Loop& loop, const net::Address& to,
                                                   const net::Address* bind_to,
                                                   net::ConnectionHandler& handler) {
  return net::Connection::connect(loop, to, bind_to, handler);
}

UpstreamCodec SocketIo::createCodec(event::Loop& loop, const ClusterSpec& spec,
                                    UpstreamProtocol protocol, http::H2Metrics& metrics,
                                    http::ClientCodecHandler& handler) {
  if (protocol == UpstreamProtocol::Http1) {
    return {.codec = std::make_unique<http::H1ClientCodec>(handler, h1_limits_)};
  }
  CONVOY_ASSERT(protocol == UpstreamProtocol::Http2);
  return {
      .codec = std::make_unique<http::H2ClientCodec>(handler, spec.http2, loop.clock(), metrics),
      .max_streams = 0,
      .most_streams = http::H2ClientCodec::kMostStreams};
}

}  // namespace convoy::upstream
