#pragma once

// Where a connection comes from and where it goes, twice. The real pair is the socket's. The
// original pair is what the client and the network between said before somebody took the connection
// over: another proxy (PROXY protocol tells it) or a redirecting rule (SO_ORIGINAL_DST). Who asks
// whom a connection belongs to wants the original one, who asks who is on the wire the real one.
// They are the same, and stored once, until setOriginal() says otherwise. A value; any thread.

#include <memory>
#include <utility>

#include "proxy/net/address.h"

namespace convoy::net {

class ConnectionAddresses {
 public:
  ConnectionAddresses() = default;
  // The real ones: the peer, and the address that it reached.
  ConnectionAddresses(Address remote, Address local)
      : remote_(std::move(remote)), local_(std::move(local)) {}

  const Address& remote() const { return remote_; }
  const Address& local() const { return local_; }
  const Address& source() const { return original_ == nullptr ? remote_ : original_->source; }
  const Address& destination() const {
    return original_ == nullptr ? local_ : original_->destination;
  }

  void setLocal(Address local) { local_ = std::move(local); }
  void setOriginal(Address source, Address destination) {
    original_ = std::make_unique<const Original>(
        Original{.source = std::move(source), .destination = std::move(destination)});
  }

 private:
  struct Original {
    Address source;
    Address destination;
  };

  Address remote_;
  Address local_;
  std::unique_ptr<const Original> original_;  // null: the real ones
};

}  // namespace convoy::net
