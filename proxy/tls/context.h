#pragma once

// SSL_CTX made ready for one filter chain (ServerContext) or cluster (ClientContext): built on main
// from a spec and the secrets that it refers to, then shared by all workers. Immutable but for the
// client's cache of sessions, which locks once per connection. A connection keeps its context
// alive, so that a rotated certificate serves new handshakes at once and breaks none that is open.

#include <openssl/ssl.h>

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "proxy/event/clock.h"
#include "proxy/tls/certificate.h"
#include "proxy/tls/spec.h"
#include "proxy/tls/ticket_keys.h"
#include "proxy/tls/validation.h"

namespace convoy::tls {

// What the references of a spec became.
struct Material {
  std::vector<std::shared_ptr<const Certificate>> certificates;  // in the spec's order
  std::shared_ptr<const Validation> validation;                  // null: none is asked for
  std::shared_ptr<const TicketKeys> ticket_keys;                 // null: keys of the library's own
};

// What a transport needs of either.
class Context {
 public:
  virtual ~Context() = default;
  // A new SSL object in its role, without BIOs.
  virtual bssl::UniquePtr<SSL> newSsl() const = 0;
  virtual bool isServer() const = 0;
  const Validation* validation() const { return material_.validation.get(); }
  event::WallTime wallNow() const { return clock_.wallNow(); }

 protected:
  Context(Material material, const event::Clock& clock)
      : material_(std::move(material)), clock_(clock) {}
  // Versions, ciphers, callbacks: the same for all contexts of one spec.
  absl::StatusOr<bssl::UniquePtr<SSL_CTX>> makeBase(const CommonSpec& spec, bool server);

  const Material material_;
  const event::Clock& clock_;
};

class ServerContext final : public Context {
 public:
  // The clock outlives the result.
  static absl::StatusOr<std::shared_ptr<const ServerContext>> make(
      std::shared_ptr<const ServerSpec> spec, Material material, const event::Clock& clock);

  bssl::UniquePtr<SSL> newSsl() const override;
  bool isServer() const override { return true; }

  // Which certificate a ClientHello gets: index into certificates(), -1: none. An exact name wins
  // over a wildcard, ECDSA over RSA where the client can verify it, then the first.
  int choose(std::string_view server_name, const SSL_CLIENT_HELLO& hello) const;
  const std::vector<std::shared_ptr<const Certificate>>& certificates() const {
    return material_.certificates;
  }

 private:
  friend struct ServerCallbacks;
  ServerContext(std::shared_ptr<const ServerSpec> spec, Material material,
                const event::Clock& clock)
      : Context(std::move(material), clock), spec_(std::move(spec)) {}
  absl::Status build();
  absl::Status setTickets(SSL_CTX* context);
  std::string sessionIdContext() const;
  int best(const std::vector<size_t>& candidates, const SSL_CLIENT_HELLO& hello) const;

  const std::shared_ptr<const ServerSpec> spec_;
  std::string alpn_;                                                 // wire form
  std::vector<bssl::UniquePtr<SSL_CTX>> contexts_;                   // one per certificate
  absl::flat_hash_map<std::string, std::vector<size_t>> exact_;      // by name
  absl::flat_hash_map<std::string, std::vector<size_t>> wildcards_;  // by what follows "*"
};

class ClientContext final : public Context {
 public:
  static absl::StatusOr<std::shared_ptr<const ClientContext>> make(
      std::shared_ptr<const ClientSpec> spec, Material material, const event::Clock& clock);

  bssl::UniquePtr<SSL> newSsl() const override;
  bool isServer() const override { return false; }
  // For the library's callback. Any thread.
  void keep(bssl::UniquePtr<SSL_SESSION> session) const;

 private:
  ClientContext(std::shared_ptr<const ClientSpec> spec, Material material,
                const event::Clock& clock)
      : Context(std::move(material), clock), spec_(std::move(spec)) {}
  absl::Status build();
  bssl::UniquePtr<SSL_SESSION> takeSession() const;

  const std::shared_ptr<const ClientSpec> spec_;
  bssl::UniquePtr<SSL_CTX> context_;
  mutable std::mutex mutex_;
  mutable std::vector<bssl::UniquePtr<SSL_SESSION>> sessions_;  // the newest last
};

// The context that new connections get, replaced by main, read by workers: one short lock per new
// connection, beside a handshake's cost of some 100 us.
template <class T>
class ContextSlot {
 public:
  std::shared_ptr<const T> get() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return current_;
  }
  void set(std::shared_ptr<const T> next) {
    const std::lock_guard<std::mutex> lock(mutex_);
    current_.swap(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> current_;
};

}  // namespace convoy::tls
