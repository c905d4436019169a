#pragma once

// Where a client's connections come from: a cluster's hosts (filter/redis_clients.h), or memory in
// tests. The client's thread.

#include <memory>

#include "proxy/event/clock.h"
#include "proxy/net/connection.h"

namespace convoy::redis {

class Dialer {
 public:
  virtual ~Dialer() = default;
  // A connection that is being made, with its transport; what becomes of it is never told from
  // inside this call. Null: there is no server now. The one before is gone.
  virtual std::unique_ptr<net::Connection> connect(net::ConnectionHandler& handler) = 0;
  // Whether the last connection would be made to the same server in the same way now.
  virtual bool current() = 0;
  // That connection ended. failed: it never was one.
  virtual void onEnded(bool failed) = 0;
  virtual event::Duration connectTimeout() = 0;
};

}  // namespace convoy::redis
