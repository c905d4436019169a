#include "controlplane/manage/planner.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "controlplane/manage/status.h"
#include "controlplane/validate/certificates.h"
#include "controlplane/validate/resources.h"
#include "controlplane/validate/scalars.h"

namespace convoy::controlplane::manage {

namespace {

using validate::Place;

class ApplyPlanner {
 public:
  ApplyPlanner(const model::Model& current, v1::Config config, bool prune, event::WallTime now)
      : current_(current), config_(std::move(config)), prune_(prune), now_(now) {}

  absl::StatusOr<Plan> run() {
    validate::checkUnknownFields(config_, Place(&problems_, {}, ""));
    takeListeners();
    takeRouteTables();
    takePools();
    takeBackends();
    takeCertificates();
    std::vector<store::Write> writes = differences();
    absl::StatusOr<model::Model> next = model::applied(current_, current_.revision + 1, writes);
    if (next.ok()) validate::checkReferences(*next, places_, &problems_);
    if (!problems_.empty()) {
      return refusal(absl::StatusCode::kInvalidArgument, problems_.list());
    }
    if (!next.ok()) return next.status();
    return Plan{std::move(writes), std::move(*next), std::move(places_)};
  }

 private:
  // Notes what a resource is to be. `path`: where it is in the request.
  template <typename Resource>
  void want(const Resource& resource, const std::string& path) {
    store::Write write = model::writeOf(resource);
    // What has no identity has been complained about.
    if (write.key.name.empty()) return;
    const auto [found, is_new] = places_.emplace(write.key, path);
    if (!is_new) {
      Place(&problems_, write.key, path)
          .refuse("duplicate", write.key.name,
                  absl::StrCat(found->second, " has this name already; remove or rename one"));
      return;
    }
    wanted_.emplace(std::move(write.key), std::move(*write.value));
  }

  void takeListeners() {
    for (int i = 0; i < config_.listeners_size(); ++i) {
      v1::Listener* listener = config_.mutable_listeners(i);
      const std::string path = absl::StrCat("listeners[", i, "]");
      validate::checkListener(listener, Place(&problems_, model::keyOf(*listener), path));
      want(*listener, path);
    }
  }

  void takeRouteTables() {
    for (int i = 0; i < config_.route_tables_size(); ++i) {
      const v1::RouteTable& table = config_.route_tables(i);
      const std::string path = absl::StrCat("route_tables[", i, "]");
      validate::checkRouteTable(table, Place(&problems_, model::keyOf(table), path));
      want(table, path);
    }
  }

  void takePools() {
    for (int i = 0; i < config_.pools_size(); ++i) {
      v1::Pool* pool = config_.mutable_pools(i);
      const std::string path = absl::StrCat("pools[", i, "]");
      const Place place(&problems_, model::keyOf(*pool), path);
      validate::checkPool(*pool, place);
      if (!pool->backends().empty()) replaced_.insert(pool->name());
      for (int j = 0; j < pool->backends_size(); ++j) {
        takeBackend(pool->mutable_backends(j), absl::StrCat(path, ".backends[", j, "]"),
                    pool->name());
      }
      // A backend is a key of its own.
      pool->clear_backends();
      want(*pool, path);
    }
  }

  void takeBackends() {
    for (int i = 0; i < config_.backends_size(); ++i) {
      v1::Backend* backend = config_.mutable_backends(i);
      const std::string path = absl::StrCat("backends[", i, "]");
      const Place pool_place = Place(&problems_, model::keyOf(*backend), path).field("pool");
      validate::checkName(backend->pool(), pool_place);
      const bool exists = wanted_.count({v1::KIND_POOL, backend->pool()}) != 0 ||
                          (!prune_ && current_.pools.count(backend->pool()) != 0);
      if (exists) {
        takeBackend(backend, path, backend->pool());
      } else if (!backend->pool().empty()) {
        pool_place.refuse("not_found", backend->pool(),
                          absl::StrCat("there is no pool \"", backend->pool(),
                                       "\"; add it to pools, or name another"));
      }
    }
  }

  void takeBackend(v1::Backend* backend, const std::string& path, const std::string& pool) {
    if (backend->pool().empty()) backend->set_pool(pool);
    const Place place(&problems_, model::keyOf(*backend), path);
    if (backend->pool() != pool) {
      place.field("pool").refuse("conflict", backend->pool(),
                                 absl::StrCat("this backend is listed in the pool \"", pool,
                                              "\"; remove its pool, or move it to that pool"));
      backend->set_pool(pool);
    }
    validate::checkBackend(backend, place);
    if (!pool.empty() && !backend->address().empty()) want(*backend, path);
  }

  void takeCertificates() {
    for (int i = 0; i < config_.certificates_size(); ++i) {
      v1::Certificate* certificate = config_.mutable_certificates(i);
      const std::string path = absl::StrCat("certificates[", i, "]");
      const Place place(&problems_, model::keyOf(*certificate), path);
      const auto stored = current_.certificates.find(certificate->name());
      if (stored != current_.certificates.end()) keepWhatIsLeftOut(*stored->second, certificate);
      validate::checkCertificate(certificate, place);
      const bool unchanged =
          stored != current_.certificates.end() &&
          model::writeOf(*certificate).value == model::writeOf(*stored->second).value;
      if (!unchanged) validate::checkCertificateTimes(*certificate, now_, place);
      want(*certificate, path);
    }
  }

  // Keys and certificates are never read back, so what List printed is applied without them.
  static void keepWhatIsLeftOut(const v1::Certificate& stored, v1::Certificate* certificate) {
    if (certificate->certificate().empty()) {
      certificate->set_certificate(stored.certificate());
      if (certificate->ocsp_response().empty()) {
        certificate->set_ocsp_response(stored.ocsp_response());
      }
    }
    if (certificate->private_key().empty()) certificate->set_private_key(stored.private_key());
  }

  // Stored resources that go unless the request names them.
  std::vector<store::Key> doomed() const {
    if (prune_) return model::keysOf(current_);
    std::vector<store::Key> keys;
    for (const std::string& name : replaced_) {
      const auto pool = current_.pools.find(name);
      if (pool == current_.pools.end()) continue;
      for (const auto& [address, backend] : pool->second->backends) {
        keys.push_back(model::keyOf(*backend));
      }
    }
    return keys;
  }

  std::vector<store::Write> differences() const {
    std::map<store::Key, store::Write> writes;
    for (const auto& [key, bytes] : wanted_) {
      if (model::bytesOf(current_, key) != bytes) writes[key] = {key, bytes};
    }
    for (const store::Key& key : doomed()) {
      if (wanted_.count(key) == 0) writes[key] = {key, std::nullopt};
    }
    std::vector<store::Write> list;
    for (auto& [key, write] : writes) list.push_back(std::move(write));
    return list;
  }

  const model::Model& current_;
  v1::Config config_;
  const bool prune_;
  const event::WallTime now_;
  validate::Problems problems_;
  validate::RequestPlaces places_;
  std::map<store::Key, std::string> wanted_;
  std::set<std::string> replaced_;  // pools whose list of backends is the whole truth
};

// What would still name something that goes.
v1::ProblemList inUse(const v1::ProblemList& dangling) {
  v1::ProblemList list = dangling;
  for (v1::Problem& problem : *list.mutable_problems()) {
    problem.set_rule("in_use");
    problem.set_reason(
        absl::StrCat("\"", problem.value(), "\" is still used here; change or delete this first"));
  }
  return list;
}

}  // namespace

absl::StatusOr<Plan> planApply(const model::Model& current, v1::Config config, bool prune,
                               event::WallTime now) {
  return ApplyPlanner(current, std::move(config), prune, now).run();
}

absl::StatusOr<Plan> planDelete(const model::Model& current,
                                const google::protobuf::RepeatedPtrField<v1::ResourceId>& ids) {
  std::set<store::Key> keys;
  for (const v1::ResourceId& id : ids) {
    const store::Key key{id.kind(), id.name()};
    if (!model::bytesOf(current, key).has_value()) {
      return absl::NotFoundError(absl::StrCat("there is no ", model::kindText(id.kind()), " \"",
                                              id.name(), "\"; nothing was deleted"));
    }
    keys.insert(key);
    if (key.kind != v1::KIND_POOL) continue;
    for (const auto& [address, backend] : current.pools.at(key.name)->backends) {
      keys.insert(model::keyOf(*backend));
    }
  }
  if (keys.empty()) return absl::InvalidArgumentError("name at least one resource to delete");
  Plan plan;
  for (const store::Key& key : keys) plan.writes.push_back({key, std::nullopt});
  absl::StatusOr<model::Model> next = model::applied(current, current.revision + 1, plan.writes);
  if (!next.ok()) return next.status();
  validate::Problems problems;
  validate::checkReferences(*next, plan.places, &problems);
  if (!problems.empty()) {
    return refusal(absl::StatusCode::kFailedPrecondition, inUse(problems.list()));
  }
  plan.model = std::move(*next);
  return plan;
}

}  // namespace convoy::controlplane::manage
