#include "controlplane/validate/routes.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "controlplane/validate/balancing.h"
#include "controlplane/validate/grouping.h"
#include "controlplane/validate/headers.h"
#include "controlplane/validate/retries.h"
#include "controlplane/validate/scalars.h"

namespace convoy::controlplane::validate {

namespace {

constexpr int64_t kDayMs = 24 * 3600 * 1000;
constexpr size_t kMostBodyBytes = 4096;
constexpr size_t kMostEntries = 100'000;

void checkHeaderMatch(const v1::HeaderMatch& match, const Place& place) {
  checkHeaderName(match.name(), place.field("name"));
  if (match.condition_case() == v1::HeaderMatch::kExact) {
    checkHeaderValue(match.exact(), place.field("exact"));
  }
  if (match.condition_case() == v1::HeaderMatch::kPrefix) {
    checkHeaderValue(match.prefix(), place.field("prefix"));
    if (match.prefix().empty()) {
      place.field("prefix").refuse("required", "",
                                   "an empty prefix matches everything; use present: true");
    }
  }
}

void checkMatch(const v1::RouteMatch& match, const Place& place) {
  for (int i = 0; i < match.hosts_size(); ++i) {
    checkHost(match.hosts(i), place.element("hosts", i));
  }
  if (match.path_condition_case() == v1::RouteMatch::kPathPrefix) {
    checkPath(match.path_prefix(), place.field("path_prefix"));
  }
  if (match.path_condition_case() == v1::RouteMatch::kPath) {
    checkPath(match.path(), place.field("path"));
  }
  if (match.path_condition_case() == v1::RouteMatch::kConnect && !match.connect()) {
    place.field("connect").refuse(
        "value", "false", "a route for everything but CONNECT needs no condition; remove it");
  }
  for (int i = 0; i < match.headers_size(); ++i) {
    checkHeaderMatch(match.headers(i), place.element("headers", i));
  }
  for (int i = 0; i < match.methods_size(); ++i) {
    checkMethod(match.methods(i), place.element("methods", i));
  }
}

void checkLimit(bool set, const google::protobuf::Duration& limit, bool to_pool,
                const Place& place) {
  if (!set) return;
  checkDuration(limit, 0, kDayMs, "0 (no limit) to 24 h", place);
  if (!to_pool) {
    place.refuse("conflict", "",
                 "only a route to a pool has timeouts; remove it, or set pool on this route");
  }
}

void checkAction(const v1::Route& route, const Place& place) {
  switch (route.action_case()) {
    case v1::Route::kPool:
      checkName(route.pool(), place.field("pool"));
      break;
    case v1::Route::kDirectResponse: {
      const Place response = place.field("direct_response");
      checkRange(route.direct_response().status(), 200, 599, response.field("status"));
      if (route.direct_response().body().size() > kMostBodyBytes) {
        response.field("body").refuse(
            "range", absl::StrCat(route.direct_response().body().size(), " bytes"),
            "a body has at most 4096 bytes; serve larger ones from a backend");
      }
      break;
    }
    case v1::Route::ACTION_NOT_SET:
      place.refuse("required", "", "a route needs what to do: set pool or direct_response");
  }
}

void checkRoute(const v1::Route& route, const Place& place) {
  checkAction(route, place);
  checkMatch(route.match(), place.field("match"));
  checkHeaders(route.headers(), place.field("headers"));
  const bool to_pool = route.action_case() != v1::Route::kDirectResponse;
  checkLimit(route.has_timeout(), route.timeout(), to_pool, place.field("timeout"));
  checkLimit(route.has_idle_timeout(), route.idle_timeout(), to_pool, place.field("idle_timeout"));
  checkLimit(route.has_first_byte_timeout(), route.first_byte_timeout(), to_pool,
             place.field("first_byte_timeout"));
  checkLimit(route.has_tunnel_idle_timeout(), route.tunnel_idle_timeout(), to_pool,
             place.field("tunnel_idle_timeout"));
  checkLimit(route.has_max_stream_duration(), route.max_stream_duration(), to_pool,
             place.field("max_stream_duration"));
  checkLimit(route.has_max_grpc_timeout(), route.max_grpc_timeout(), to_pool,
             place.field("max_grpc_timeout"));
  if (route.has_retries()) {
    checkRetries(route.retries(), place.field("retries"));
    if (!to_pool) {
      place.field("retries").refuse(
          "conflict", "",
          "only a route to a pool sends requests; remove it, or set pool on this route");
    }
  }
  if (route.high_priority() && !to_pool) {
    place.field("high_priority")
        .refuse("conflict", "true",
                "only a route to a pool sends requests; remove it, or set pool on this route");
  }
  checkRouteHashKey(route, place);
  checkSubset(route, place);
  checkUpgrades(route.upgrades(), /*none_allowed=*/false, place);
  if (!route.upgrades().empty() && !to_pool) {
    place.field("upgrades")
        .refuse("conflict", "",
                "only a route to a pool can switch protocols; remove it, or set "
                "pool on this route");
  }
}

// A node looks up a request's host first, so each host has, in order, all routes that may match it
// (compile/routes.cc): a route for every host, or for a wildcard, is there once for each host.
void checkEntries(const google::protobuf::RepeatedPtrField<v1::Route>& routes, const Place& place) {
  std::set<std::string> hosts;
  size_t wide = 0;
  size_t narrow = 0;
  for (const v1::Route& route : routes) {
    const auto& of_route = route.match().hosts();
    hosts.insert(of_route.begin(), of_route.end());
    const bool is_wide = of_route.empty() ||
                         std::any_of(of_route.begin(), of_route.end(),
                                     [](const auto& host) { return absl::StartsWith(host, "*"); });
    is_wide ? ++wide : narrow += of_route.size();
  }
  const size_t entries = wide * (hosts.size() + 1) + narrow;
  if (entries <= kMostEntries) return;
  place.refuse("too_many", absl::StrCat(entries),
               absl::StrCat(hosts.size(), " hosts and ", wide,
                            " routes that are for all of them (no hosts, or a wildcard) make ",
                            entries, " entries on each node; at most ", kMostEntries,
                            " are allowed; name hosts in those routes, or split the listener"));
}

}  // namespace

void checkRoutes(const google::protobuf::RepeatedPtrField<v1::Route>& routes, const Place& place) {
  std::set<std::string> names;
  for (int i = 0; i < routes.size(); ++i) {
    const Place route = place.element("routes", i);
    checkRoute(routes[i], route);
    if (routes[i].name().empty()) continue;
    checkName(routes[i].name(), route.field("name"));
    if (!names.insert(routes[i].name()).second) {
      route.field("name").refuse("duplicate", routes[i].name(),
                                 "an earlier route of this list has this name; rename one");
    }
  }
  checkEntries(routes, place.field("routes"));
}

}  // namespace convoy::controlplane::validate
