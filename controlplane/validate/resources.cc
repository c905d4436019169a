#include "controlplane/validate/resources.h"

#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "controlplane/validate/balancing.h"
#include "controlplane/validate/dns.h"
#include "controlplane/validate/failure_policy.h"
#include "controlplane/validate/grouping.h"
#include "controlplane/validate/headers.h"
#include "controlplane/validate/health_check.h"
#include "controlplane/validate/host_policy.h"
#include "controlplane/validate/request_policy.h"
#include "controlplane/validate/retries.h"
#include "controlplane/validate/routes.h"
#include "controlplane/validate/scalars.h"
#include "controlplane/validate/sticky.h"
#include "controlplane/validate/tls.h"

namespace convoy::controlplane::validate {

namespace {

constexpr int64_t kHourMs = 3600 * 1000;
constexpr int64_t kDayMs = 24 * kHourMs;
constexpr int kMostAddresses = 64;
// As `convoyctl node bootstrap` names it.
constexpr char kControlPlane[] = "control_plane";

void checkAddresses(v1::Listener* listener, const Place& place) {
  if (listener->address().empty() && listener->addresses().empty()) {
    place.field("address").refuse("required", "",
                                  "a listener needs an address, such as \"0.0.0.0:8080\"");
    return;
  }
  if (listener->addresses_size() > kMostAddresses) {
    place.field("addresses")
        .refuse("too_many", absl::StrCat(listener->addresses_size()),
                "a listener has at most 64 addresses; use several listeners "
                "with one route table");
  }
  std::set<std::string> seen;
  const auto check = [&seen](std::string* address, const Place& at) {
    const std::string canonical = checkAddress(*address, AddressUse::Listen, at);
    if (canonical.empty()) return;
    if (!absl::EndsWith(canonical, ":0") && !seen.insert(canonical).second) {
      at.refuse("duplicate", *address, "the listener has this address already; remove one");
    }
    *address = canonical;
  };
  if (!listener->address().empty()) check(listener->mutable_address(), place.field("address"));
  for (int i = 0; i < listener->addresses_size(); ++i) {
    check(listener->mutable_addresses(i), place.element("addresses", i));
  }
}

void checkAccessLog(const v1::AccessLog& log, const Place& place) {
  if (!v1::AccessLog::Format_IsValid(log.format())) {
    place.field("format").refuse("enum", absl::StrCat(static_cast<int>(log.format())),
                                 "the formats are TEXT and JSON");
  }
  if (log.path().empty()) return;
  const bool has_control = std::any_of(log.path().begin(), log.path().end(),
                                       [](char c) { return absl::ascii_iscntrl(c); });
  if (log.path().front() != '/' || has_control) {
    place.field("path").refuse("syntax", log.path(),
                               "the path of a file on the node is absolute, such as "
                               "\"/var/log/convoy/access.log\"");
  }
}

}  // namespace

void checkListener(v1::Listener* listener, const Place& place) {
  checkName(listener->name(), place.field("name"));
  checkAddresses(listener, place);
  checkRoutes(listener->routes(), place);
  checkHeaders(listener->headers(), place.field("headers"));
  checkUpgrades(listener->upgrades(), /*none_allowed=*/true, place);
  if (!listener->route_table().empty()) {
    checkName(listener->route_table(), place.field("route_table"));
    if (!listener->routes().empty()) {
      place.field("route_table")
          .refuse("conflict", listener->route_table(),
                  "a listener has either routes or a route_table; remove one");
    }
  }
  checkSelector(listener->nodes(), place.field("nodes"));
  checkAccessLog(listener->access_log(), place.field("access_log"));
  if (listener->has_idle_timeout()) {
    checkDuration(listener->idle_timeout(), 1, kDayMs, "1 ms to 24 h", place.field("idle_timeout"));
  }
  if (listener->has_request_headers_timeout()) {
    checkDuration(listener->request_headers_timeout(), 1, kHourMs, "1 ms to 1 h",
                  place.field("request_headers_timeout"));
  }
  if (listener->max_request_headers_kib() != 0) {
    checkRange(listener->max_request_headers_kib(), 1, 8192,
               place.field("max_request_headers_kib"));
  }
  if (listener->max_request_headers_count() != 0) {
    checkRange(listener->max_request_headers_count(), 1, 10'000,
               place.field("max_request_headers_count"));
  }
  checkRequestPolicy(*listener, place);
  if (listener->has_tls()) checkListenerTls(listener->tls(), place.field("tls"));
}

void checkRouteTable(const v1::RouteTable& table, const Place& place) {
  checkName(table.name(), place.field("name"));
  checkRoutes(table.routes(), place);
}

void checkPool(const v1::Pool& pool, const Place& place) {
  checkName(pool.name(), place.field("name"));
  if (pool.name() == kControlPlane) {
    place.field("name").refuse("reserved", pool.name(),
                               "the bootstrap of every node has a cluster of this name, the way to "
                               "the control plane, and would refuse the pool; choose another name");
  }
  checkBalancing(pool, place);
  checkGrouping(pool, place);
  checkHeaders(pool.headers(), place.field("headers"));
  if (!v1::Protocol_IsValid(pool.protocol())) {
    place.field("protocol")
        .refuse("enum", absl::StrCat(static_cast<int>(pool.protocol())),
                "there is no such protocol; there are http1 and http2");
  }
  if (pool.has_connect_timeout()) {
    checkDuration(pool.connect_timeout(), 1, kHourMs, "1 ms to 1 h",
                  place.field("connect_timeout"));
  }
  if (pool.has_health_check()) checkHealthCheck(pool.health_check(), place.field("health_check"));
  if (pool.has_tls()) checkPoolTls(pool.tls(), place.field("tls"));
  checkPoolLimits(pool, place);
  if (pool.has_dns()) checkPoolDns(pool.dns(), place.field("dns"));
  if (pool.has_sticky()) checkSticky(pool.sticky(), place.field("sticky"));
  checkFailurePolicy(pool, place);
  checkHostPolicy(pool, place);
}

void checkBackend(v1::Backend* backend, const Place& place) {
  const std::string canonical =
      checkAddress(backend->address(), AddressUse::Connect, place.field("address"));
  if (!canonical.empty()) backend->set_address(canonical);
  if (!backend->has_weight()) backend->set_weight(1);
  checkRange(backend->weight(), 1, 128, place.field("weight"));
  checkSelector(backend->nodes(), place.field("nodes"));
  checkBackendLimits(*backend, place);
  checkPlacement(*backend, place);
}

}  // namespace convoy::controlplane::validate
