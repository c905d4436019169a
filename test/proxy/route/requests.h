#pragma once

// Request heads and route tables for tests, written short.

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/http/message.h"
#include "proxy/route/header_edits.h"
#include "proxy/route/spec.h"

namespace convoy::test {

// What header edits are made from, where a test does not care.
class Scope {
 public:
  route::EditScope get() { return {request_, nullptr, info_, clock_, arena_}; }

 private:
  http::RequestHead request_;
  http::StreamInfo info_;
  event::SystemClock clock_;
  base::Arena arena_;
};

inline http::RequestHead request(
    std::string_view target, std::string_view authority = "a.example",
    std::initializer_list<std::pair<std::string_view, std::string_view>> headers = {}) {
  http::RequestHead head;
  head.method = "GET";
  head.target = target;
  head.authority = authority;
  head.scheme = "http";
  for (const auto& [name, value] : headers) head.headers.add(name, value);
  return head;
}

inline route::Route routeTo(std::string cluster, route::PathMatch::Kind kind, std::string path) {
  route::Route out;
  out.name = cluster;
  out.match.path.kind = kind;
  out.match.path.value = std::move(path);
  out.action = route::Forward{};
  std::get<route::Forward>(out.action).cluster = std::move(cluster);
  return out;
}
inline route::Route prefixTo(std::string cluster, std::string path) {
  return routeTo(std::move(cluster), route::PathMatch::Kind::Prefix, std::move(path));
}

inline route::VirtualHost virtualHost(std::string name, std::vector<std::string> domains,
                                      std::vector<route::Route> routes) {
  route::VirtualHost out;
  out.name = std::move(name);
  out.domains = std::move(domains);
  out.routes = std::move(routes);
  return out;
}

inline std::shared_ptr<route::RouteTableSpec> tableOf(std::vector<route::VirtualHost> hosts) {
  auto out = std::make_shared<route::RouteTableSpec>();
  out->name = "table";
  out->virtual_hosts = std::move(hosts);
  return out;
}

}  // namespace convoy::test
