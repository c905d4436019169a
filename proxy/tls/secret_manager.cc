#include "proxy/tls/secret_manager.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/assert.h"
#include "proxy/base/log.h"
#include "proxy/base/strings.h"

namespace convoy::tls {

namespace {

int64_t unixSeconds(event::WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

int64_t daysUntil(event::WallTime time, event::WallTime now) {
  return std::chrono::floor<std::chrono::days>(time - now).count();
}

// Reads the parts of one secret; remembers the first error with the part's name.
class Parts {
 public:
  std::string read(const char* part, const DataSpec& data) {
    if (data.empty() || !status_.ok()) return {};
    auto bytes = load(data);
    if (bytes.ok()) return *std::move(bytes);
    status_ = absl::InvalidArgumentError(absl::StrCat(part, ": ", bytes.status().message()));
    return {};
  }
  const absl::Status& status() const { return status_; }

 private:
  absl::Status status_;
};

void addPath(const DataSpec& data, std::vector<std::string>* paths) {
  if (!data.path.empty()) paths->push_back(data.path);
}

std::vector<std::string> pathsOf(const SecretSpec& spec) {
  std::vector<std::string> paths;
  if (const auto* certificate = std::get_if<CertificateSpec>(&spec.value)) {
    addPath(certificate->chain, &paths);
    addPath(certificate->key, &paths);
    addPath(certificate->password, &paths);
    addPath(certificate->ocsp_staple, &paths);
  } else if (const auto* validation = std::get_if<ValidationSpec>(&spec.value)) {
    addPath(validation->trusted_ca, &paths);
    addPath(validation->crl, &paths);
  } else {
    for (const DataSpec& key : std::get<TicketKeysSpec>(spec.value).keys) addPath(key, &paths);
  }
  return paths;
}

absl::Status withName(const std::string& name, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("secret ", name, ": ", status.message()));
}

}  // namespace

// A secret's value, checked.
struct SecretManager::Loaded {
  std::shared_ptr<const SecretSpec> spec;
  std::shared_ptr<const Certificate> certificate;
  std::optional<Validation::Data> trust;
  std::shared_ptr<const TicketKeys> ticket_keys;
  event::WallTime expires_at = event::WallTime::max();  // max(): holds no certificate
};

struct SecretManager::Secret {
  Secret(std::string secret_name, observe::MetricRegistry& registry)
      : name(std::move(secret_name)),
        metrics(registry, "tls.secret", {{"secret", name}}, /*slots=*/1) {}

  std::vector<std::pair<std::string, FileStamp>> stamps() const {
    std::vector<std::pair<std::string, FileStamp>> result;
    if (spec == nullptr) return result;
    for (const std::string& path : pathsOf(*spec)) result.emplace_back(path, stampOf(path));
    return result;
  }

  const std::string name;
  std::shared_ptr<const SecretSpec> spec;  // what was asked for last; null: nothing came yet
  std::shared_ptr<const Loaded> loaded;    // what is in force; null: nothing usable came yet
  std::vector<std::pair<std::string, FileStamp>> seen;
  observe::MetricGroup<SecretMetrics> metrics;
};

struct SecretManager::Consumer {
  std::string owner;
  std::shared_ptr<const net::TransportSpec> spec;
  std::weak_ptr<TlsTransportFactory> factory;
  std::vector<std::shared_ptr<Secret>> certificates;
  std::shared_ptr<Secret> validation;
  std::shared_ptr<Secret> ticket_keys;

  const CommonSpec& common() const {
    const auto* server = dynamic_cast<const ServerSpec*>(spec.get());
    return server != nullptr ? server->common : static_cast<const ClientSpec&>(*spec).common;
  }
  bool uses(const Secret& secret) const {
    for (const auto& certificate : certificates) {
      if (certificate.get() == &secret) return true;
    }
    return validation.get() == &secret || ticket_keys.get() == &secret;
  }
};

struct SecretManager::ServerMetrics {
  observe::Gauge days_until_first_cert_expiring;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("days_until_first_cert_expiring", self.days_until_first_cert_expiring,
            "Days until the first of all certificates expires; 4294967295 if there is none");
  }
};

SecretManager::SecretManager(event::Loop& main, observe::MetricRegistry& registry, int slots)
    : main_(main),
      registry_(registry),
      slots_(slots),
      server_metrics_(std::make_unique<observe::MetricGroup<ServerMetrics>>(
          registry, "server", observe::Labels{}, /*slots=*/1)),
      timer_(main, [this] { look(); }) {
  updateGauges();
}

SecretManager::~SecretManager() = default;

// --- secrets ---

absl::StatusOr<std::shared_ptr<const SecretManager::Loaded>> SecretManager::loadSecret(
    const SecretSpec& spec) {
  auto loaded = std::make_shared<Loaded>();
  Parts parts;
  if (const auto* certificate = std::get_if<CertificateSpec>(&spec.value)) {
    const CertificateData data{.chain = parts.read("certificate_chain", certificate->chain),
                               .key = parts.read("private_key", certificate->key),
                               .password = parts.read("password", certificate->password),
                               .ocsp = parts.read("ocsp_staple", certificate->ocsp_staple)};
    if (!parts.status().ok()) return withName(spec.name, parts.status());
    auto made = Certificate::make(data);
    if (!made.ok()) return withName(spec.name, made.status());
    loaded->expires_at = (*made)->expiresAt();
    loaded->certificate = *std::move(made);
  } else if (const auto* validation = std::get_if<ValidationSpec>(&spec.value)) {
    loaded->trust = Validation::Data{.trusted_ca = parts.read("trusted_ca", validation->trusted_ca),
                                     .crl = parts.read("crl", validation->crl)};
    if (!parts.status().ok()) return withName(spec.name, parts.status());
    auto made = Validation::make(*validation, *loaded->trust, nullptr);
    if (!made.ok()) return withName(spec.name, made.status());
    loaded->expires_at = (*made)->expiresAt();
  } else {
    std::vector<std::string> keys;
    for (const DataSpec& key : std::get<TicketKeysSpec>(spec.value).keys) {
      keys.push_back(parts.read("keys", key));
    }
    if (!parts.status().ok()) return withName(spec.name, parts.status());
    auto made = TicketKeys::make(keys);
    if (!made.ok()) return withName(spec.name, made.status());
    loaded->ticket_keys = *std::move(made);
  }
  return std::shared_ptr<const Loaded>(std::move(loaded));
}

absl::Status SecretManager::admit(const SecretSpec& spec) const {
  if (absl::Status uses = checkUses(spec); !uses.ok()) return uses;
  return loadSecret(spec).status();
}

// A secret has one source, and is of the kind that those who name it need.
absl::Status SecretManager::checkUses(const SecretSpec& spec) const {
  const auto found = named_.find(spec.name);
  if (found == named_.end()) return absl::OkStatus();
  const Secret& secret = *found->second;
  if (secret.spec != nullptr && secret.spec->version.empty() && !spec.version.empty()) {
    return withName(spec.name, absl::AlreadyExistsError(
                                   "static_resources.secrets has one of this name already"));
  }
  for (const auto& consumer : consumers_) {
    if (!consumer->uses(secret) || consumer->factory.expired()) continue;
    const char* wanted = nullptr;
    const bool as_trust = consumer->validation.get() == &secret;
    const bool as_keys = consumer->ticket_keys.get() == &secret;
    if (as_trust && !std::holds_alternative<ValidationSpec>(spec.value)) {
      wanted = "a validation_context";
    } else if (as_keys && !std::holds_alternative<TicketKeysSpec>(spec.value)) {
      wanted = "session_ticket_keys";
    } else if (!as_trust && !as_keys && !std::holds_alternative<CertificateSpec>(spec.value)) {
      wanted = "a tls_certificate";
    }
    if (wanted == nullptr) continue;
    return withName(spec.name, absl::InvalidArgumentError(
                                   absl::StrCat(consumer->owner, " uses it as ", wanted)));
  }
  return absl::OkStatus();
}

void SecretManager::forget(const std::string& name) {
  forgotten_.insert(name);
  dropForgotten();
  updateGauges();
  if (!forgotten_.empty() && !timer_.armed()) timer_.armAfter(kLookInterval);
}

// What drains may still use one.
void SecretManager::dropForgotten() {
  if (forgotten_.empty()) return;
  std::erase_if(consumers_, [](const auto& consumer) { return consumer->factory.expired(); });
  std::erase_if(forgotten_, [this](const std::string& name) {
    const auto found = named_.find(name);
    if (found != named_.end() && found->second.use_count() > 1) return false;
    if (found != named_.end()) named_.erase(found);
    return true;
  });
}

std::shared_ptr<SecretManager::Secret> SecretManager::named(const std::string& name) {
  forgotten_.erase(name);
  std::shared_ptr<Secret>& secret = named_[name];
  if (secret == nullptr) {
    secret = std::make_shared<Secret>(name, registry_);
    all_.push_back(secret);
  }
  return secret;
}

bool SecretManager::has(std::string_view name) const {
  const auto found = named_.find(name);
  return found != named_.end() && found->second->loaded != nullptr;
}

absl::Status SecretManager::put(std::shared_ptr<const SecretSpec> spec) {
  CONVOY_ASSERT(main_.isOwnThread());
  const std::shared_ptr<Secret> secret = named(spec->name);
  absl::Status status = reload(*secret, std::move(spec));
  if (status.ok()) rebuildUsersOf(*secret);
  updateGauges();
  return status;
}

// The stamps are taken before the files are read: a change in between is seen as one.
absl::Status SecretManager::reload(Secret& secret, std::shared_ptr<const SecretSpec> spec) {
  const auto spec_before = std::exchange(secret.spec, spec);
  auto stamps = secret.stamps();
  auto loaded = loadSecret(*spec);
  if (!loaded.ok()) {
    // The files of what is in force are watched on, unless they are what is bad.
    if (secret.loaded != nullptr && spec_before != spec) {
      secret.spec = spec_before;
    } else {
      secret.seen = std::move(stamps);
    }
    secret.metrics.slot(0).rejected.add();
    return loaded.status();
  }
  secret.seen = std::move(stamps);
  auto owned = std::make_shared<Loaded>(**loaded);
  owned->spec = std::move(spec);
  secret.loaded = std::move(owned);
  secret.metrics.slot(0).updated.add();
  if (!secret.seen.empty() && !timer_.armed()) timer_.armAfter(kLookInterval);
  return absl::OkStatus();
}

void SecretManager::look() {
  const event::Loop::TurnScope turn(main_);
  dropForgotten();
  bool any_files = false;
  for (size_t i = 0; i < all_.size(); ++i) {
    const std::shared_ptr<Secret> secret = all_[i].lock();
    if (secret == nullptr || secret->spec == nullptr || pathsOf(*secret->spec).empty()) continue;
    any_files = true;
    if (secret->stamps() == secret->seen) continue;
    const absl::Status status = reload(*secret, secret->spec);
    if (status.ok()) {
      base::logInfo(absl::StrCat("secret ", secret->name, ": its files changed; in force"));
      rebuildUsersOf(*secret);
    } else {
      base::logError(absl::StrCat(status.message(), "; the previous value stays in force"));
    }
  }
  std::erase_if(all_, [](const auto& secret) { return secret.expired(); });
  updateGauges();
  if (any_files || !forgotten_.empty()) timer_.armAfter(kLookInterval);
}

void SecretManager::updateGauges() {
  const event::WallTime now = main_.clock().wallNow();
  int64_t first = std::numeric_limits<uint32_t>::max();
  for (const auto& weak : all_) {
    const std::shared_ptr<Secret> secret = weak.lock();
    if (secret == nullptr || secret->loaded == nullptr) continue;
    SecretMetrics& metrics = secret->metrics.slot(0);
    const Loaded& loaded = *secret->loaded;
    if (loaded.expires_at != event::WallTime::max()) {
      const int64_t days = daysUntil(loaded.expires_at, now);
      metrics.expires_at.set(unixSeconds(loaded.expires_at));
      metrics.days_left.set(days);
      first = std::min(first, std::max<int64_t>(days, 0));
    }
    const bool stapled = loaded.certificate != nullptr && loaded.certificate->ocsp().has_value();
    metrics.ocsp_expires_at.set(stapled ? unixSeconds(loaded.certificate->ocsp()->next_update) : 0);
  }
  server_metrics_->slot(0).days_until_first_cert_expiring.set(first);
}

// --- contexts ---

std::shared_ptr<SecretManager::Secret> SecretManager::resolve(const SecretRef& ref,
                                                              const std::string& owner,
                                                              std::string_view what) {
  if (ref.value == nullptr) return named(ref.name);
  auto secret = std::make_shared<Secret>(absl::StrCat(owner, "/", base::toAbsl(what)), registry_);
  all_.push_back(secret);
  auto spec = std::make_shared<SecretSpec>(*ref.value);
  spec->name = secret->name;
  if (const absl::Status status = reload(*secret, std::move(spec)); !status.ok()) {
    base::logError(base::fromAbsl(status.message()));
  }
  return secret;
}

std::shared_ptr<TlsMetricGroup> SecretManager::metricsFor(const std::string& prefix,
                                                          const observe::Labels& labels) {
  std::string key = prefix;
  for (const auto& [name, value] : labels) absl::StrAppend(&key, "\n", name, "=", value);
  std::erase_if(metrics_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<TlsMetricGroup>& known = metrics_[key];
  auto group = known.lock();
  if (group == nullptr) {
    group = std::make_shared<TlsMetricGroup>(registry_, prefix, labels, slots_);
    known = group;
  }
  return group;
}

std::shared_ptr<net::TransportFactory> SecretManager::makeFactory(
    std::shared_ptr<const net::TransportSpec> spec, const std::string& owner,
    const std::string& prefix, const observe::Labels& labels) {
  CONVOY_ASSERT(main_.isOwnThread());
  auto factory = std::make_shared<TlsTransportFactory>(metricsFor(prefix, labels));
  auto consumer = std::make_unique<Consumer>();
  consumer->owner = owner;
  consumer->spec = std::move(spec);
  consumer->factory = factory;
  const CommonSpec& common = consumer->common();
  for (size_t i = 0; i < common.certificates.size(); ++i) {
    consumer->certificates.push_back(
        resolve(common.certificates[i], owner, absl::StrCat("tls_certificates[", i, "]")));
  }
  if (common.validation.has_value()) {
    consumer->validation = resolve(*common.validation, owner, "validation_context");
  }
  if (const auto* server = dynamic_cast<const ServerSpec*>(consumer->spec.get());
      server != nullptr && server->ticket_keys.has_value()) {
    consumer->ticket_keys = resolve(*server->ticket_keys, owner, "session_ticket_keys");
  }
  rebuild(*consumer);
  std::erase_if(consumers_, [](const auto& other) { return other->factory.expired(); });
  consumers_.push_back(std::move(consumer));
  updateGauges();
  return factory;
}

void SecretManager::rebuildUsersOf(const Secret& secret) {
  std::erase_if(consumers_, [](const auto& consumer) { return consumer->factory.expired(); });
  for (const auto& consumer : consumers_) {
    if (consumer->uses(secret)) rebuild(*consumer);
  }
}

void SecretManager::rebuild(Consumer& consumer) {
  const std::shared_ptr<TlsTransportFactory> factory = consumer.factory.lock();
  if (factory == nullptr) return;
  auto built = build(consumer);
  if (built.ok()) {
    factory->setContext(*std::move(built));
  } else if (built.status().code() != absl::StatusCode::kUnavailable) {
    base::logError(absl::StrCat(consumer.owner, ": ", built.status().message(),
                                factory->ready() ? "; what was in force stays" : ""));
  }
}

// Unavailable: a secret has not come yet.
absl::StatusOr<std::shared_ptr<const Context>> SecretManager::build(
    const Consumer& consumer) const {
  Material material;
  const auto missing = [](const Secret& secret, const char* kind) {
    return secret.loaded == nullptr
               ? absl::UnavailableError(absl::StrCat("secret ", secret.name, " has not arrived"))
               : absl::InvalidArgumentError(absl::StrCat("secret ", secret.name, " is not ", kind));
  };
  for (const auto& secret : consumer.certificates) {
    if (secret->loaded == nullptr || secret->loaded->certificate == nullptr) {
      return missing(*secret, "a certificate");
    }
    material.certificates.push_back(secret->loaded->certificate);
  }
  const CommonSpec& common = consumer.common();
  const ValidationSpec* const extra =
      common.validation_extra.has_value() ? &*common.validation_extra : nullptr;
  if (consumer.validation != nullptr) {
    const auto& loaded = consumer.validation->loaded;
    if (loaded == nullptr || !loaded->trust.has_value()) {
      return missing(*consumer.validation, "a validation context");
    }
    auto made =
        Validation::make(std::get<ValidationSpec>(loaded->spec->value), *loaded->trust, extra);
    if (!made.ok()) return withName(consumer.validation->name, made.status());
    material.validation = *std::move(made);
  }
  if (consumer.ticket_keys != nullptr) {
    const auto& loaded = consumer.ticket_keys->loaded;
    if (loaded == nullptr || loaded->ticket_keys == nullptr) {
      return missing(*consumer.ticket_keys, "a set of session ticket keys");
    }
    material.ticket_keys = loaded->ticket_keys;
  }
  if (auto server = std::dynamic_pointer_cast<const ServerSpec>(consumer.spec)) {
    auto made = ServerContext::make(std::move(server), std::move(material), main_.clock());
    if (!made.ok()) return made.status();
    return std::shared_ptr<const Context>(*std::move(made));
  }
  auto made = ClientContext::make(std::static_pointer_cast<const ClientSpec>(consumer.spec),
                                  std::move(material), main_.clock());
  if (!made.ok()) return made.status();
  return std::shared_ptr<const Context>(*std::move(made));
}

// --- for people ---

namespace {

CertificateView viewOf(X509* certificate, const std::string& path) {
  return {.path = path,
          .serial = serialOf(certificate),
          .dns_names = subjectAlternativeNames(certificate, SanKind::Dns),
          .uris = subjectAlternativeNames(certificate, SanKind::Uri),
          .ips = subjectAlternativeNames(certificate, SanKind::Ip),
          .valid_from = validFrom(certificate),
          .expires_at = expiryOf(certificate)};
}

}  // namespace

std::vector<SecretView> SecretManager::certificates() const {
  std::vector<SecretView> views;
  for (const auto& weak : all_) {
    const std::shared_ptr<Secret> secret = weak.lock();
    if (secret == nullptr || secret->loaded == nullptr) continue;
    const Loaded& loaded = *secret->loaded;
    SecretView view{.name = secret->name, .trust_anchors = {}, .chain = {}};
    if (loaded.certificate != nullptr) {
      const std::string& path = std::get<CertificateSpec>(loaded.spec->value).chain.path;
      const STACK_OF(X509)* const chain = loaded.certificate->chain();
      view.chain.push_back(viewOf(loaded.certificate->leaf(), path));
      view.chain.front().ocsp = loaded.certificate->ocsp();
      for (size_t i = 0; i < sk_X509_num(chain); ++i) {
        view.chain.push_back(viewOf(sk_X509_value(chain, i), path));
      }
    } else if (loaded.trust.has_value() && !loaded.trust->trusted_ca.empty()) {
      const std::string& path = std::get<ValidationSpec>(loaded.spec->value).trusted_ca.path;
      const auto anchors = readPemCertificates(loaded.trust->trusted_ca);
      for (size_t i = 0; anchors.ok() && i < anchors->size(); ++i) {
        view.trust_anchors.push_back(viewOf((*anchors)[i].get(), path));
      }
    }
    if (!view.chain.empty() || !view.trust_anchors.empty()) views.push_back(std::move(view));
  }
  return views;
}

// --- admission of whole contexts ---

absl::Status SecretManager::admit(const net::TransportSpec& spec) const {
  const auto* server = dynamic_cast<const ServerSpec*>(&spec);
  const auto* client = dynamic_cast<const ClientSpec*>(&spec);
  if (server == nullptr && client == nullptr) return absl::OkStatus();
  const CommonSpec& common = server != nullptr ? server->common : client->common;
  const auto check = [this](const SecretRef& ref, std::string_view what) -> absl::Status {
    if (ref.value == nullptr) {
      if (ref.by_sds || has(ref.name)) return absl::OkStatus();
      return absl::NotFoundError(
          absl::StrCat("secret ", ref.name, ": static_resources.secrets has none of this name"));
    }
    SecretSpec copy = *ref.value;
    copy.name = what;
    return loadSecret(copy).status();
  };
  for (size_t i = 0; i < common.certificates.size(); ++i) {
    const std::string what = absl::StrCat("tls_certificates[", i, "]");
    if (absl::Status status = check(common.certificates[i], what); !status.ok()) return status;
  }
  if (common.validation.has_value()) {
    if (absl::Status status = check(*common.validation, "validation_context"); !status.ok()) {
      return status;
    }
  }
  if (server != nullptr && server->ticket_keys.has_value()) {
    return check(*server->ticket_keys, "session_ticket_keys");
  }
  return absl::OkStatus();
}

}  // namespace convoy::tls
