#pragma once

// Certificates, trust anchors and ticket keys of the process: by name (from the bootstrap or by
// SDS) or in place, from bytes or from files that are watched. Builds the context of every filter
// chain and cluster that uses TLS, and builds it anew when one of its secrets changes: new
// handshakes use it at once, connections that are open keep theirs. A secret that is not usable is
// refused with its name; what was in force stays. Main's thread.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proxy/event/loop.h"
#include "proxy/observe/metrics.h"
#include "proxy/tls/context.h"
#include "proxy/tls/file_data.h"
#include "proxy/tls/spec.h"
#include "proxy/tls/transport_factory.h"

namespace convoy::tls {

struct SecretMetrics {
  observe::Gauge expires_at;
  observe::Gauge days_left;
  observe::Gauge ocsp_expires_at;
  observe::Counter updated;
  observe::Counter rejected;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("expiration_unix_time_seconds", self.expires_at,
            "When the first certificate of the secret expires; 0: it has none");
    visitor("days_until_expiration", self.days_left,
            "Days until then; below 0 once it has expired");
    visitor("ocsp_expiration_unix_time_seconds", self.ocsp_expires_at,
            "When the stapled OCSP response ends; 0: there is none");
    visitor("update_success", self.updated, "Times that a new value came into force");
    visitor("update_rejected", self.rejected, "Times that a new value was refused");
  }
};

// For people: what is in force, without anything secret.
struct CertificateView {
  std::string path;    // empty: it was given in place
  std::string serial;  // hexadecimal
  std::vector<std::string> dns_names;
  std::vector<std::string> uris;
  std::vector<std::string> ips;
  event::WallTime valid_from{};
  event::WallTime expires_at{};
  std::optional<OcspResponse> ocsp = {};  // of a leaf
};
struct SecretView {
  std::string name;
  std::vector<CertificateView> trust_anchors;
  std::vector<CertificateView> chain;  // the leaf first
};

class SecretManager {
 public:
  // How often files are looked at.
  static constexpr event::Duration kLookInterval = std::chrono::seconds(1);

  // slots: workers and one for main, as in all metric groups.
  SecretManager(event::Loop& main, observe::MetricRegistry& registry, int slots);
  ~SecretManager();
  SecretManager(const SecretManager&) = delete;
  SecretManager& operator=(const SecretManager&) = delete;

  // Is the secret usable? The error begins with its name. Changes nothing.
  absl::Status admit(const SecretSpec& spec) const;
  // Puts it in force; refused as by admit().
  absl::Status put(std::shared_ptr<const SecretSpec> spec);
  bool has(std::string_view name) const;
  // Nothing will use the secret any more; it goes with its last user.
  void forget(const std::string& name);

  // Are the secrets that the spec holds in place usable, and those that it names and that are
  // known?
  absl::Status admit(const net::TransportSpec& spec) const;

  // The transports of a filter chain or a cluster. `owner` names it for people ("listener public");
  // prefix and labels are those of its metrics ("listener", {...}). The result follows its secrets
  // as long as it lives; it does not outlive this object.
  std::shared_ptr<net::TransportFactory> makeFactory(std::shared_ptr<const net::TransportSpec> spec,
                                                     const std::string& owner,
                                                     const std::string& prefix,
                                                     const observe::Labels& labels);

  // Those that hold certificates.
  std::vector<SecretView> certificates() const;

  // Looks at the files now; else every kLookInterval.
  void look();

 private:
  struct Loaded;
  struct Secret;
  struct Consumer;
  struct ServerMetrics;

  static absl::StatusOr<std::shared_ptr<const Loaded>> loadSecret(const SecretSpec& spec);
  std::shared_ptr<Secret> named(const std::string& name);
  std::shared_ptr<Secret> resolve(const SecretRef& ref, const std::string& owner,
                                  std::string_view what);
  absl::Status reload(Secret& secret, std::shared_ptr<const SecretSpec> spec);
  absl::Status checkUses(const SecretSpec& spec) const;
  void dropForgotten();
  void rebuildUsersOf(const Secret& secret);
  void rebuild(Consumer& consumer);
  absl::StatusOr<std::shared_ptr<const Context>> build(const Consumer& consumer) const;
  void updateGauges();
  std::shared_ptr<TlsMetricGroup> metricsFor(const std::string& prefix,
                                             const observe::Labels& labels);

  event::Loop& main_;
  observe::MetricRegistry& registry_;
  const int slots_;
  std::map<std::string, std::shared_ptr<Secret>, std::less<>> named_;
  std::set<std::string> forgotten_;
  std::vector<std::weak_ptr<Secret>> all_;
  std::vector<std::unique_ptr<Consumer>> consumers_;
  std::map<std::string, std::weak_ptr<TlsMetricGroup>> metrics_;
  std::unique_ptr<observe::MetricGroup<ServerMetrics>> server_metrics_;
  event::Timer timer_;
};

}  // namespace convoy::tls
