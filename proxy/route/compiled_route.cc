#include "proxy/route/compiled_route.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "proxy/base/strings.h"
#include "proxy/route/conditions.h"
#include "proxy/route/path_rewrite.h"

namespace convoy::route {

namespace {

constexpr Milliseconds kDefaultTimeout = std::chrono::seconds(15);  // Envoy's

void addLevel(HeaderEditList& request, HeaderEditList& response, const HeaderEdits& edits) {
  request.addLevel(edits.request_remove, edits.request);
  response.addLevel(edits.response_remove, edits.response);
}

}  // namespace

CompiledRoute::CompiledRoute(const RouteTableSpec& table, const VirtualHost& virtual_host,
                             const Route& route, uint32_t id, Conditions conditions,
                             std::shared_ptr<const RetryRules> retries)
    : virtual_host_(virtual_host),
      route_(route),
      id_(id),
      conditions_(std::make_unique<const Conditions>(std::move(conditions))),
      retries_(std::move(retries)) {
  const HeaderEdits* levels[] = {&route.edits, &virtual_host.edits, &table.edits};
  if (table.most_specific_header_mutations_wins) std::reverse(std::begin(levels), std::end(levels));
  for (const HeaderEdits* level : levels) addLevel(request_edits_, response_edits_, *level);
  for (const auto* filters : {&route.filters, &virtual_host.filters, &table.filters}) {
    for (const auto& [name, filter] : *filters) filters_.emplace_back(name, filter.get());
  }
  const Forward* to = forward();
  if (to == nullptr) return;
  timeout_ = to->timeout.value_or(kDefaultTimeout);
  first_byte_timeout_ = to->first_byte_timeout;
  if (to->idle_timeout.has_value()) idle_timeout_ = *to->idle_timeout;
  if (to->tunnel_idle_timeout.has_value()) tunnel_idle_timeout_ = *to->tunnel_idle_timeout;
  uint64_t sum = 0;
  for (const WeightedCluster& cluster : to->weighted) {
    sum += cluster.weight;
    cumulative_weights_.push_back(sum);
  }
}

CompiledRoute::~CompiledRoute() = default;

CompiledRoute::Target CompiledRoute::chooseCluster(event::Random& random) const {
  const Forward& to = *forward();
  if (to.weighted.empty()) return {to.cluster, to.subset};
  const uint64_t drawn = random.below(cumulative_weights_.back());
  const auto at = std::upper_bound(cumulative_weights_.begin(), cumulative_weights_.end(), drawn);
  const WeightedCluster& chosen =
      to.weighted[static_cast<size_t>(at - cumulative_weights_.begin())];
  return {chosen.name, chosen.subset};
}

std::optional<bool> CompiledRoute::allowsTunnel(std::string_view protocol) const {
  if (const Forward* to = forward(); to != nullptr) {
    for (const Upgrade& upgrade : to->upgrades) {
      if (base::equalsIgnoreCase(upgrade.protocol, protocol)) return upgrade.enabled;
    }
  }
  return std::nullopt;
}

std::optional<CompiledRoute::StreamLimit> CompiledRoute::streamLimit(
    std::optional<event::Duration> grpc_timeout) const {
  const Forward& to = *forward();
  if (!grpc_timeout.has_value() || !to.grpc_timeout_header_max.has_value()) {
    if (!to.max_stream_duration.has_value()) return std::nullopt;
    if (to.max_stream_duration->count() == 0) return StreamLimit{};
    return StreamLimit{*to.max_stream_duration};
  }
  event::Duration limit = *grpc_timeout;
  const event::Duration most = *to.grpc_timeout_header_max;
  if (most.count() > 0) limit = std::min(limit, most);
  limit = std::max(limit - event::Duration(to.grpc_timeout_header_offset), event::Duration(0));
  return StreamLimit{limit, true};
}

const PerRouteFilterSpec* CompiledRoute::filterConfig(std::string_view filter_name) const {
  for (const auto& [name, config] : filters_) {
    if (name == filter_name) return config;
  }
  return nullptr;
}

void CompiledRoute::rewrite(http::RequestHead& head, base::Arena& arena) const {
  const Forward& to = *forward();
  if (!to.prefix_rewrite.empty()) {
    head.target = rewritePrefix(head.target, route_.match.path, to.prefix_rewrite, arena);
  }
  if (!to.host_rewrite.empty()) head.authority = to.host_rewrite;
}

std::string_view CompiledRoute::location(const http::RequestHead& head, base::Arena& arena) const {
  return redirectLocation(head, route_.match.path, *redirect(), arena);
}

}  // namespace convoy::route
