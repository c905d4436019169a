#include "proxy/route/matcher.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "proxy/http/authority.h"
#include "proxy/route/conditions.h"
#include "proxy/route/virtual_host_index.h"

namespace convoy::route {

namespace {

absl::Status checkWeights(const Route& route) {
  const auto* forward = std::get_if<Forward>(&route.action);
  if (forward == nullptr || forward->weighted.empty()) return absl::OkStatus();
  uint64_t sum = 0;
  for (const WeightedCluster& cluster : forward->weighted) sum += cluster.weight;
  if (sum > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the weights of its clusters add up to 0; give one of them a weight");
}

absl::Status at(const VirtualHost& host, size_t index, const Route& route,
                const absl::Status& status) {
  return absl::InvalidArgumentError(
      absl::StrCat("virtual host ", host.name, ", route ", index, route.name.empty() ? "" : " (",
                   route.name, route.name.empty() ? "" : ")", ": ", status.message()));
}

// Compiles each policy once: many routes share one.
class RulesOfPolicies {
 public:
  using Rules = std::shared_ptr<const RetryRules>;

  absl::StatusOr<Rules> of(const Route& route) {
    const auto* forward = std::get_if<Forward>(&route.action);
    if (forward == nullptr || forward->retries == nullptr) return Rules();
    Rules& known = rules_[forward->retries.get()];
    if (known != nullptr) return known;
    auto compiled = RetryRules::compile(forward->retries);
    if (compiled.ok()) known = *compiled;
    return compiled;
  }

 private:
  absl::flat_hash_map<const RetryPolicy*, Rules> rules_;
};

}  // namespace

RouteTable::RouteTable(std::shared_ptr<const RouteTableSpec> spec) : spec_(std::move(spec)) {}

RouteTable::~RouteTable() = default;

absl::StatusOr<std::shared_ptr<const RouteTable>> RouteTable::compile(
    std::shared_ptr<const RouteTableSpec> spec) {
  std::shared_ptr<RouteTable> table(new RouteTable(std::move(spec)));
  auto hosts = std::make_unique<VirtualHostIndex>();
  RulesOfPolicies rules;
  for (const VirtualHost& host : table->spec_->virtual_hosts) {
    auto paths = std::make_shared<PathIndex>();
    for (size_t i = 0; i < host.routes.size(); ++i) {
      const Route& route = host.routes[i];
      if (absl::Status weights = checkWeights(route); !weights.ok())
        return at(host, i, route, weights);
      auto conditions = Conditions::compile(route.match);
      if (!conditions.ok()) return at(host, i, route, conditions.status());
      auto retries = rules.of(route);
      if (!retries.ok()) return at(host, i, route, retries.status());
      table->routes_.push_back(std::make_unique<const CompiledRoute>(
          *table->spec_, host, route, static_cast<uint32_t>(table->routes_.size()),
          *std::move(conditions), *std::move(retries)));
      paths->add(*table->routes_.back());
    }
    if (absl::Status added = hosts->add(host.domains, std::move(paths)); !added.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("virtual host ", host.name, ": ", added.message()));
    }
  }
  table->hosts_ = std::move(hosts);
  return std::shared_ptr<const RouteTable>(std::move(table));
}

const CompiledRoute* RouteTable::match(const http::RequestHead& head, event::Random& random) const {
  const PathIndex* routes = hosts_->find(
      spec_->ignore_port_in_host ? http::splitAuthority(head.authority).host : head.authority);
  if (routes == nullptr) return nullptr;
  Draw draw(random);
  return routes->match(head, draw);
}

}  // namespace convoy::route
