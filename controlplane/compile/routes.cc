#include "controlplane/compile/routes.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "api/convoy/ext/route_policy.pb.h"
#include "controlplane/base/proto_bytes.h"
#include "controlplane/compile/balancing.h"
#include "controlplane/compile/grouping.h"
#include "controlplane/compile/headers.h"
#include "controlplane/compile/retries.h"
#include "envoy/config/route/v3/route_components.pb.h"

namespace convoy::controlplane::compile {

namespace {

namespace route_v3 = envoy::config::route::v3;

constexpr char kAnyHost[] = "*";
constexpr char kRoutePolicy[] = "convoy.ext.RoutePolicy";
constexpr int64_t kDefaultIdleSeconds = 60;
constexpr int64_t kDefaultTunnelIdleSeconds = 3600;

// Whether every host that `domain` stands for is one that `pattern` stands for. Both are lower
// case, "name", "*.name" or "*".
bool covers(absl::string_view pattern, absl::string_view domain) {
  if (pattern == kAnyHost || pattern == domain) return true;
  if (!absl::StartsWith(pattern, "*.")) return false;
  const absl::string_view suffix = pattern.substr(1);
  return domain.size() > suffix.size() && absl::EndsWith(domain, suffix);
}

std::vector<std::string> domainsOf(const v1::Route& route) {
  if (route.match().hosts().empty()) return {kAnyHost};
  std::vector<std::string> domains;
  for (const std::string& host : route.match().hosts()) {
    domains.push_back(absl::AsciiStrToLower(host));
  }
  return domains;
}

void compileHeader(const v1::HeaderMatch& match, route_v3::HeaderMatcher* out) {
  out->set_name(absl::AsciiStrToLower(match.name()));
  out->set_invert_match(match.invert());
  switch (match.condition_case()) {
    case v1::HeaderMatch::kExact:
      out->mutable_string_match()->set_exact(match.exact());
      break;
    case v1::HeaderMatch::kPrefix:
      out->mutable_string_match()->set_prefix(match.prefix());
      break;
    case v1::HeaderMatch::kPresent:
      out->set_present_match(match.present());
      break;
    case v1::HeaderMatch::CONDITION_NOT_SET:
      out->set_present_match(true);
  }
}

void compileMethods(const google::protobuf::RepeatedPtrField<std::string>& methods,
                    route_v3::RouteMatch* out) {
  if (methods.empty()) return;
  route_v3::HeaderMatcher* matcher = out->add_headers();
  matcher->set_name(":method");
  if (methods.size() == 1) {
    matcher->mutable_string_match()->set_exact(methods[0]);
  } else {
    // Validation allows only letters, "-" and "_", so nothing is special in the expression.
    matcher->mutable_string_match()->mutable_safe_regex()->set_regex(absl::StrJoin(methods, "|"));
  }
}

void compileMatch(const v1::RouteMatch& match, route_v3::RouteMatch* out) {
  switch (match.path_condition_case()) {
    case v1::RouteMatch::kPathPrefix:
      out->set_prefix(match.path_prefix());
      break;
    case v1::RouteMatch::kPath:
      out->set_path(match.path());
      break;
    case v1::RouteMatch::kConnect:
      out->mutable_connect_matcher();
      break;
    case v1::RouteMatch::PATH_CONDITION_NOT_SET:
      out->set_prefix("/");
  }
  compileMethods(match.methods(), out);
  for (const v1::HeaderMatch& header : match.headers()) compileHeader(header, out->add_headers());
}

void compileTunnels(const v1::Route& route, route_v3::RouteAction* action) {
  for (const std::string& protocol : route.upgrades()) {
    action->add_upgrade_configs()->set_upgrade_type(protocol);
  }
  if (!route.match().connect()) return;
  auto* connect = action->add_upgrade_configs();
  connect->set_upgrade_type("CONNECT");
  connect->mutable_connect_config();
}

// What a node says when one of the times runs out.
void compileOrigin(const v1::Route& route, const std::string& path,
                   ext::RoutePolicy::Origin* origin) {
  const std::pair<const char*, bool> times[] = {
      {"timeout", route.has_timeout()},
      {"idle_timeout", route.has_idle_timeout()},
      {"first_byte_timeout", route.has_first_byte_timeout()},
      {"tunnel_idle_timeout", route.has_tunnel_idle_timeout()},
      {"max_stream_duration", route.has_max_stream_duration()},
      {"retries.per_try_timeout", route.retries().has_per_try_timeout()},
  };
  origin->set_path(path);
  for (const auto& [name, is_set] : times) {
    if (is_set) origin->add_times(name);
  }
}

// convoy.v1's defaults are written out: an unset field would mean Envoy's.
void compileForward(const v1::Route& route, const std::string& path, const v1::Pool& pool,
                    route_v3::Route* out) {
  route_v3::RouteAction* action = out->mutable_route();
  action->set_cluster(route.pool());
  *action->mutable_timeout() = route.timeout();
  if (route.has_idle_timeout()) {
    *action->mutable_idle_timeout() = route.idle_timeout();
  } else {
    action->mutable_idle_timeout()->set_seconds(kDefaultIdleSeconds);
  }
  if (route.high_priority()) action->set_priority(envoy::config::core::v3::HIGH);
  compileHashPolicy(route, pool, action);
  compileSubset(route, action);
  compileTunnels(route, action);
  if (route.has_max_stream_duration()) {
    *action->mutable_max_stream_duration()->mutable_max_stream_duration() =
        route.max_stream_duration();
  }
  if (route.has_max_grpc_timeout()) {
    *action->mutable_max_stream_duration()->mutable_grpc_timeout_header_max() =
        route.max_grpc_timeout();
  }
  ext::RoutePolicy policy;
  if (route.has_tunnel_idle_timeout()) {
    *policy.mutable_tunnel_idle_timeout() = route.tunnel_idle_timeout();
  } else {
    policy.mutable_tunnel_idle_timeout()->set_seconds(kDefaultTunnelIdleSeconds);
  }
  if (route.has_first_byte_timeout()) {
    *policy.mutable_first_byte_timeout() = route.first_byte_timeout();
  }
  compileRetries(route, out, &policy);
  compileOrigin(route, path, policy.mutable_origin());
  (*out->mutable_metadata()->mutable_typed_filter_metadata())[kRoutePolicy].PackFrom(policy);
}

route_v3::Route compileRoute(const v1::Route& route, const std::string& path,
                             const FindPool& find_pool, const DeriveKey& derive) {
  const v1::Pool& pool = find_pool ? find_pool(route.pool()) : v1::Pool::default_instance();
  route_v3::Route out;
  out.set_name(route.name());
  compileMatch(route.match(), out.mutable_match());
  if (route.action_case() == v1::Route::kDirectResponse) {
    out.mutable_direct_response()->set_status(route.direct_response().status());
    if (!route.direct_response().body().empty()) {
      out.mutable_direct_response()->mutable_body()->set_inline_string(
          route.direct_response().body());
    }
  } else {
    compileForward(route, path, pool, &out);
    if (pool.has_sticky()) compileSticky(pool, derive, &out);
  }
  compileRouteHeaders(route.headers(), pool.headers(), &out);
  return out;
}

}  // namespace

route_v3::RouteConfiguration compileRoutes(const std::string& name, const RouteList& routes,
                                           const FindPool& find_pool, const DeriveKey& derive) {
  std::set<std::string> domains;
  std::vector<std::vector<std::string>> patterns;
  std::vector<route_v3::Route> compiled;
  // A listener's own routes have its name behind "listener/".
  const std::string owner =
      absl::StrContains(name, '/') ? name : absl::StrCat("route_table/", name);
  for (int i = 0; i < routes.size(); ++i) {
    patterns.push_back(domainsOf(routes[i]));
    domains.insert(patterns.back().begin(), patterns.back().end());
    compiled.push_back(
        compileRoute(routes[i], absl::StrCat(owner, ":routes[", i, "]"), find_pool, derive));
  }
  route_v3::RouteConfiguration config;
  config.set_name(name);
  // A person who writes "example.com" means it on every port.
  if (!domains.empty() && *domains.rbegin() != kAnyHost) {
    config.set_ignore_port_in_host_matching(true);
  }
  for (const std::string& domain : domains) {
    route_v3::VirtualHost* host = config.add_virtual_hosts();
    host->set_name(domain);
    host->add_domains(domain);
    setDefaultRetries(host);
    for (size_t i = 0; i < compiled.size(); ++i) {
      const bool may_match =
          std::any_of(patterns[i].begin(), patterns[i].end(),
                      [&domain](const std::string& pattern) { return covers(pattern, domain); });
      if (may_match) *host->add_routes() = compiled[i];
    }
  }
  return config;
}

std::string partOfRoutes(const v1::Pool& pool) {
  v1::Pool part;
  if (pool.has_headers()) *part.mutable_headers() = pool.headers();
  if (hashes(pool)) {
    part.set_algorithm(pool.algorithm());
    if (pool.has_hash_key()) *part.mutable_hash_key() = pool.hash_key();
  }
  if (pool.has_sticky()) *part.mutable_sticky() = pool.sticky();
  return deterministicBytes(part);
}

std::vector<std::string> poolsOf(const RouteList& routes) {
  std::set<std::string> pools;
  for (const v1::Route& route : routes) {
    if (route.action_case() == v1::Route::kPool) pools.insert(route.pool());
  }
  return {pools.begin(), pools.end()};
}

}  // namespace convoy::controlplane::compile
