#pragma once

// What becomes of the connections of one filter chain on one worker: the L4 side of a chain, made
// by the chain's terminal filter (PreparedTerminal). HTTP is one implementation (http_chain.h), L4
// proxying another. Worker's thread only.

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "proxy/filter/registry.h"
#include "proxy/net/connection.h"
#include "proxy/server/prepared.h"

namespace convoy::server {

// What a handler has of its worker.
struct HandlerContext {
  int worker;                       // index
  const filter::Registry& filters;  // of HTTP
  filter::WorkerServices services;
  std::function<void()> on_closed;  // after each connection's end, with it destroyed or about to be
};

class ChainHandler {
 public:
  virtual ~ChainHandler() = default;
  // A new connection of this chain.
  virtual void accept(int fd, net::ConnectionAddresses addresses) = 0;
  // One of which these bytes were read already, to choose the chain. From inside a turn.
  virtual void adopt(std::unique_ptr<net::Connection> connection, std::string_view first_bytes) = 0;
  // New configuration for the same slice (match, transport, kind of terminal filter): running
  // connections stay. Called before the first connection.
  virtual void update(const PreparedChain& chain,
                      std::shared_ptr<const net::ListenerSpec> listener) = 0;
  // Graceful: running work ends, then connections close. New connections are told to go elsewhere.
  virtual void drain() = 0;
  virtual void closeAll() = 0;
  virtual size_t connections() const = 0;
};

}  // namespace convoy::server
