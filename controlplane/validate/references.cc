#include "controlplane/validate/references.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "controlplane/model/selector.h"
#include "controlplane/validate/balancing.h"
#include "controlplane/validate/grouping.h"
#include "proxy/net/address.h"

namespace convoy::controlplane::validate {

namespace {

// As a node takes them.
constexpr size_t kMostPlaces = 1000;

class Checker {
 public:
  Checker(const model::Model& model, const RequestPlaces& places, Problems* problems)
      : model_(model), places_(places), problems_(problems) {}

  void run() {
    for (const auto& [name, table] : model_.route_tables) {
      checkRoutes(table->routes(), place(model::keyOf(*table), "route table"));
    }
    for (const auto& [name, listener] : model_.listeners) {
      const Place at = place(model::keyOf(*listener), "listener");
      checkRoutes(listener->routes(), at);
      checkRouteTable(listener->route_table(), at.field("route_table"));
      checkAddresses(*listener, at);
      if (listener->has_tls()) checkTls(listener->tls(), at.field("tls"));
    }
    for (const auto& [name, pool] : model_.pools) {
      checkOneAddress(*pool, place(model::keyOf(*pool->pool), "pool").field("dns"));
      const Place at = place(model::keyOf(*pool->pool), "pool");
      checkBackups(*pool, at);
      checkTls(pool->pool->tls(), at.field("tls"));
      checkTls(pool->pool->sticky().redis().tls(), at.field("sticky").field("redis").field("tls"));
    }
  }

 private:
  Place place(const store::Key& key, absl::string_view kind) const {
    const auto found = places_.find(key);
    return Place(problems_, key,
                 found != places_.end() ? found->second : absl::StrCat(kind, " ", key.name, ": "));
  }

  void checkRoutes(const google::protobuf::RepeatedPtrField<v1::Route>& routes,
                   const Place& at) const {
    for (int i = 0; i < routes.size(); ++i) {
      const std::string& name = routes[i].pool();
      if (name.empty()) continue;
      const Place route = at.element("routes", i);
      const auto pool = model_.pools.find(name);
      if (pool == model_.pools.end()) {
        refuseMissing("pool", name, model_.pools, route.field("pool"));
      } else {
        checkRouteTo(*pool->second->pool, routes[i], route);
      }
    }
  }

  static void checkRouteTo(const v1::Pool& pool, const v1::Route& route, const Place& at) {
    if (route.match().connect() && pool.protocol() == v1::PROTOCOL_HTTP2) {
      at.field("pool").refuse(
          "conflict", pool.name(),
          absl::StrCat("pool \"", pool.name(),
                       "\" speaks HTTP/2, and the backends of match.connect get the bytes of the "
                       "tunnel alone; name a pool without protocol"));
    }
    if (route.has_hash_key() && !goesByKey(pool.algorithm())) {
      at.field("hash_key")
          .refuse("conflict", pool.name(),
                  absl::StrCat("pool \"", pool.name(),
                               "\" does not go by a key; remove it, or give the pool the "
                               "algorithm consistent_hash or maglev"));
    }
    checkSubsetOf(pool, route, at);
  }

  // Backends may come one by one, the name first or last.
  static void checkOneAddress(const model::PoolState& pool, const Place& at) {
    if (!pool.pool->dns().one_address() || pool.backends.empty()) return;
    const std::string& first = pool.backends.begin()->first;
    if (pool.backends.size() == 1 && !net::Address::parse(first).ok()) return;
    at.field("one_address")
        .refuse("conflict", absl::StrCat(pool.backends.size(), " backends"),
                "with one_address a pool has one backend, which is the name of a host; remove it, "
                "or the other backends");
  }

  // Both say who is asked after whom, and not the same.
  static void checkBackups(const model::PoolState& pool, const Place& at) {
    const v1::Backend* backup = nullptr;
    const v1::Backend* by_priority = nullptr;
    std::set<std::pair<uint32_t, std::string>> places;
    for (const auto& [address, backend] : pool.backends) {
      places.emplace(backend->backup() ? 1 : backend->priority(), backend->zone());
      if (backend->backup()) backup = backend.get();
      if (backend->priority() != 0) by_priority = backend.get();
    }
    if (places.size() > kMostPlaces) {
      at.field("backends")
          .refuse("too_many", absl::StrCat(places.size()),
                  "a pool's backends are in at most 1000 zones, those of each "
                  "priority counted by themselves");
    }
    if (backup == nullptr || by_priority == nullptr) return;
    at.field("backends")
        .refuse("conflict", by_priority->address(),
                absl::StrCat("backend ", by_priority->address(), " has a priority, and ",
                             backup->address(), " is a backup; a pool has one or the other"));
  }

  void checkRouteTable(const std::string& table, const Place& at) const {
    if (table.empty() || model_.route_tables.count(table) != 0) return;
    refuseMissing("route table", table, model_.route_tables, at);
  }

  enum class CertificateUse { Show, Trust };

  void checkTls(const v1::ListenerTls& tls, const Place& at) const {
    for (int i = 0; i < tls.certificates_size(); ++i) {
      checkCertificate(tls.certificates(i), CertificateUse::Show, at.element("certificates", i));
    }
    checkCertificate(tls.client_certificates().ca(), CertificateUse::Trust,
                     at.field("client_certificates").field("ca"));
  }

  void checkTls(const v1::PoolTls& tls, const Place& at) const {
    checkCertificate(tls.certificate(), CertificateUse::Show, at.field("certificate"));
    checkCertificate(tls.ca(), CertificateUse::Trust, at.field("ca"));
  }

  void checkCertificate(const std::string& name, CertificateUse use, const Place& at) const {
    if (name.empty()) return;
    const auto found = model_.certificates.find(name);
    if (found == model_.certificates.end()) {
      refuseMissing("certificate", name, model_.certificates, at);
      return;
    }
    const bool has_key = !found->second->private_key().empty();
    if (use == CertificateUse::Show && !has_key) {
      at.refuse("no_private_key", name,
                absl::StrCat("certificate \"", name,
                             "\" has no private key, so it cannot be shown to anybody; give it "
                             "one, or name another"));
    } else if (use == CertificateUse::Trust && has_key) {
      at.refuse("conflict", name,
                absl::StrCat("certificate \"", name,
                             "\" has a private key: it is one to show; put the authorities to "
                             "trust into a certificate without private key"));
    }
  }

  template <typename Map>
  static void refuseMissing(absl::string_view kind, const std::string& name, const Map& candidates,
                            const Place& at) {
    std::vector<absl::string_view> names;
    for (const auto& [candidate, value] : candidates) names.push_back(candidate);
    const std::string meant = closest(name, names);
    at.refuse(
        "not_found", name,
        meant.empty()
            ? absl::StrCat("there is no ", kind, " \"", name, "\"; add it, or name another")
            : absl::StrCat("there is no ", kind, " \"", name, "\"; did you mean \"", meant, "\"?"));
  }

  // Of an address.
  struct Claim {
    const v1::Listener* listener;
    Place at;
  };

  void checkAddresses(const v1::Listener& listener, const Place& at) {
    if (!listener.address().empty()) {
      claim(listener, listener.address(), at.field("address"));
    }
    for (int i = 0; i < listener.addresses_size(); ++i) {
      claim(listener, listener.addresses(i), at.element("addresses", i));
    }
  }

  void claim(const v1::Listener& listener, const std::string& address, const Place& at) {
    if (absl::EndsWith(address, ":0")) return;
    std::vector<Claim>& claimed = claims_[address];
    for (const Claim& other : claimed) {
      // Two addresses of one listener are its own check's business.
      if (other.listener == &listener) continue;
      if (!model::mayOverlap(other.listener->nodes(), listener.nodes())) continue;
      // Who asks for it is to blame, not who has it.
      const bool blames_other = requested(*other.listener) && !requested(listener);
      const v1::Listener& has = blames_other ? listener : *other.listener;
      (blames_other ? other.at : at)
          .refuse("conflict", address,
                  absl::StrCat("listener \"", has.name(),
                               "\" has this address on the same nodes; change one of them, or "
                               "give them nodes.labels that no node has both of"));
    }
    claimed.push_back({&listener, at});
  }

  bool requested(const v1::Listener& listener) const {
    return places_.find(model::keyOf(listener)) != places_.end();
  }

  const model::Model& model_;
  const RequestPlaces& places_;
  Problems* problems_;
  std::map<std::string, std::vector<Claim>> claims_;
};

}  // namespace

void checkReferences(const model::Model& model, const RequestPlaces& places, Problems* problems) {
  Checker(model, places, problems).run();
}

}  // namespace convoy::controlplane::validate
