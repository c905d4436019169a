#pragma once

// Connections that have left their pool with bytes still to be sent: the end of what a tunnel's
// client said. They are closed when those are out, or by the limits of a flushing close
// (net/connection.h). Worker's thread only.

#include <memory>

#include "proxy/base/intrusive_list.h"
#include "proxy/net/connection.h"

namespace convoy::upstream {

class ClosingConnections {
 public:
  ClosingConnections() = default;
  ~ClosingConnections() { shutdown(); }
  ClosingConnections(const ClosingConnections&) = delete;
  ClosingConnections& operator=(const ClosingConnections&) = delete;

  // REQUIRES: close() was called on it.
  void add(std::unique_ptr<net::Connection> connection);
  // Closes all, and whatever is added from here on, at once.
  void shutdown();
  size_t size() const { return size_; }

 private:
  class Entry;

  base::IntrusiveList<Entry> entries_;  // owned
  size_t size_ = 0;
  bool shut_down_ = false;
};

}  // namespace convoy::upstream
