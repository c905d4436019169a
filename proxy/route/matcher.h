#pragma once

// The route table in the form that requests are matched against: compiled from a RouteTableSpec
// once, immutable, shared by all workers. match() neither allocates nor locks (conditions.h,
// path_index.h and virtual_host_index.h name the exceptions).
//
// Which virtual host (Envoy's order): the authority, ASCII case ignored, port included as it was
// received (unless the table ignores ports), against
//   1. the domains without a wildcard, as they are: "a.example:8080" is another domain than
//      "a.example";
//   2. suffix wildcards "*.example", the longest first; the "*" stands for at least one byte;
//   3. prefix wildcards "a.*", the longest first, likewise;
//   4. "*".
// No domain: no route, whatever other virtual hosts say. Within the virtual host the first route in
// configured order whose conditions all hold wins. Paths are matched without query and fragment.
//
// How fast: hash look-ups for the host, one walk through a radix tree of all exact and prefix paths
// for the candidates, tried in configured order. Only routes by regular expression, and those that
// ignore case, are tried one by one.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "proxy/event/random.h"
#include "proxy/http/message.h"
#include "proxy/http/route_matcher.h"
#include "proxy/route/compiled_route.h"
#include "proxy/route/spec.h"

namespace convoy::route {

class VirtualHostIndex;

class RouteTable final : public http::RouteMatcher {
 public:
  // Errors name the virtual host, the route and what is wrong: a regular expression that RE2
  // refuses, a domain given twice or with a misplaced "*", weights whose sum is 0.
  static absl::StatusOr<std::shared_ptr<const RouteTable>> compile(
      std::shared_ptr<const RouteTableSpec> spec);
  ~RouteTable() override;
  RouteTable(const RouteTable&) = delete;
  RouteTable& operator=(const RouteTable&) = delete;

  // Null if no route matches. The route lives as long as the table. Randomness decides runtime
  // fractions: one draw per request, as in Envoy.
  const CompiledRoute* match(const http::RequestHead& head, event::Random& random) const override;
  std::optional<bool> allowsTunnel(const CompiledRoute& route,
                                   std::string_view protocol) const override {
    return route.allowsTunnel(protocol);
  }
  const base::TimerOrigins* timerOrigins(const CompiledRoute& route) const override {
    return route.forward() == nullptr ? nullptr : &route.forward()->origins;
  }

  const RouteTableSpec& spec() const { return *spec_; }
  // All routes, by CompiledRoute::id().
  const std::vector<std::unique_ptr<const CompiledRoute>>& routes() const { return routes_; }

 private:
  explicit RouteTable(std::shared_ptr<const RouteTableSpec> spec);

  const std::shared_ptr<const RouteTableSpec> spec_;
  std::vector<std::unique_ptr<const CompiledRoute>> routes_;
  std::unique_ptr<const VirtualHostIndex> hosts_;
};

}  // namespace convoy::route
