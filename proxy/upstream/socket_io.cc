#include "proxy/upstream/socket_io.h"

#include "proxy/base/assert.h"
#include "proxy/http/h1_client_codec.h"

namespace convoy::upstream {

std::unique_ptr<net::Connection> SocketIo::connect(event::Loop& loop, const net::Address& to,
                                                   const net::Address* bind_to,
                                                   net::ConnectionHandler& handler) {
  return net::Connection::connect(loop, to, bind_to, handler);
}

UpstreamCodec SocketIo::createCodec(const ClusterSpec& spec, http::ClientCodecHandler& handler) {
  CONVOY_ASSERT(spec.protocol == UpstreamProtocol::Http1);
  return {.codec = std::make_unique<http::H1ClientCodec>(handler, h1_limits_)};
}

}  // namespace convoy::upstream
