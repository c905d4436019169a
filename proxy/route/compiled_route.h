#pragma once

// One route of a compiled table, with everything that serving a request by it needs, resolved once:
// header edits of all levels in the order in which they apply, per-filter configuration, time-outs
// with their defaults. Immutable; lives as long as its RouteTable, and so do all views into it.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/arena.h"
#include "proxy/event/clock.h"
#include "proxy/event/random.h"
#include "proxy/http/message.h"
#include "proxy/route/header_edits.h"
#include "proxy/route/path_rewrite.h"
#include "proxy/route/retry_rules.h"
#include "proxy/route/spec.h"

namespace convoy::route {

class Conditions;

class CompiledRoute {
 public:
  // id: index among all routes of the table.
  CompiledRoute(const RouteTableSpec& table, const VirtualHost& virtual_host, const Route& route,
                uint32_t id, Conditions conditions, std::shared_ptr<const RetryRules> retries);
  ~CompiledRoute();
  CompiledRoute(const CompiledRoute&) = delete;
  CompiledRoute& operator=(const CompiledRoute&) = delete;

  const Route& spec() const { return route_; }
  const VirtualHost& virtualHost() const { return virtual_host_; }
  uint32_t id() const { return id_; }

  // Exactly one is not null.
  const Forward* forward() const { return std::get_if<Forward>(&route_.action); }
  const DirectResponse* directResponse() const {
    return std::get_if<DirectResponse>(&route_.action);
  }
  const Redirect* redirect() const { return std::get_if<Redirect>(&route_.action); }

  struct Target {
    std::string_view cluster;
    const base::SubsetKey& subset;  // of its hosts; empty: any
  };
  // REQUIRES: forward(). The cluster for one request: drawn by weight where there are several.
  Target chooseCluster(event::Random& random) const;

  // The whole response: 15 s unless configured. Zero: none.
  event::Duration timeout() const { return timeout_; }
  // Until the response head. Zero: none.
  event::Duration firstByteTimeout() const { return first_byte_timeout_; }
  // Without bytes either way. Unset: the connection manager's; zero: none.
  std::optional<event::Duration> idleTimeout() const { return idle_timeout_; }

  // Null: no retry policy.
  const RetryRules* retries() const { return retries_.get(); }

  // Of an open tunnel, likewise; unset: idleTimeout().
  std::optional<event::Duration> tunnelIdleTimeout() const { return tunnel_idle_timeout_; }
  // Whether clients may switch to this protocol, or "CONNECT"; unset: the listener says.
  std::optional<bool> allowsTunnel(std::string_view protocol) const;

  // How long the stream may last, by this route and the request's grpc-timeout header.
  struct StreamLimit {
    std::optional<event::Duration> duration;  // unset: no limit; 0: over at once
    bool of_client = false;                   // the value is the header's
  };
  // Unset: the connection manager's limit stands.
  std::optional<StreamLimit> streamLimit(std::optional<event::Duration> grpc_timeout) const;

  // The route's own configuration of that filter, else the virtual host's, else the table's; null
  // if none has one.
  const PerRouteFilterSpec* filterConfig(std::string_view filter_name) const;
  // What each level says of that filter, for filters that add the levels up. The most specific
  // first, or last.
  template <typename Visit>
  void forEachFilterConfig(std::string_view filter_name, bool most_specific_last,
                           Visit&& visit) const {
    const size_t count = filters_.size();
    for (size_t i = 0; i < count; ++i) {
      const auto& [name, config] = filters_[most_specific_last ? count - 1 - i : i];
      if (name == filter_name) visit(*config);
    }
  }

  // Header edits of route, virtual host and table, in this order (the other way round with
  // most_specific_header_mutations_wins); at each level first what is removed, then the rest.
  // Values that are added point into the table, or into the scope's arena.
  bool editsRequest() const { return !request_edits_.empty(); }
  bool editsResponse() const { return !response_edits_.empty(); }
  void editRequest(http::RequestHead& head, const EditScope& scope) const {
    request_edits_.apply(head.headers, scope);
  }
  void editResponse(http::ResponseHead& head, const EditScope& scope) const {
    response_edits_.apply(head.headers, scope);
  }

  // REQUIRES: forward(). Applies prefix_rewrite and host_rewrite; new text is in the arena. A
  // caller that wants to keep the original target keeps the view.
  void rewrite(http::RequestHead& head, base::Arena& arena) const;
  // REQUIRES: redirect(). The Location of the reply, in the arena.
  std::string_view location(const http::RequestHead& head, base::Arena& arena) const;

  // For the matcher: everything but the path, and the path by itself (without query).
  const Conditions& conditions() const { return *conditions_; }
  const PathMatch& path() const { return route_.match.path; }

 private:
  const VirtualHost& virtual_host_;
  const Route& route_;
  const uint32_t id_;
  const std::unique_ptr<const Conditions> conditions_;
  event::Duration timeout_{0};
  event::Duration first_byte_timeout_{0};
  std::optional<event::Duration> idle_timeout_;
  std::optional<event::Duration> tunnel_idle_timeout_;
  const std::shared_ptr<const RetryRules> retries_;
  HeaderEditList request_edits_;
  HeaderEditList response_edits_;
  // Of route, virtual host and table, in this order.
  std::vector<std::pair<std::string_view, const PerRouteFilterSpec*>> filters_;
  std::vector<uint64_t> cumulative_weights_;  // of weighted clusters
};

}  // namespace convoy::route
