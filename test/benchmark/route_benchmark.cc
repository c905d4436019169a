// What finding the route of a request costs, by the number of routes.
//   bazel run //test/benchmark:route_benchmark

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "proxy/event/random.h"
#include "proxy/route/matcher.h"

namespace convoy::route {
namespace {

http::RequestHead request(std::string_view target) {
  http::RequestHead head;
  head.method = "GET";
  head.target = target;
  head.authority = "www.example.com";
  head.scheme = "http";
  for (const char* name : {"user-agent", "accept", "accept-encoding", "x-a", "x-b", "x-c"}) {
    head.headers.add(name, "some value");
  }
  return head;
}

std::string pathOfRoute(int64_t i) {
  return "/service-" + std::to_string(i) + "/api/";
}

enum class Kind { Prefix, Exact, Mixed, Regex, HeaderGuarded };

std::shared_ptr<const RouteTable> tableOf(int64_t routes, Kind kind, const char* domain) {
  auto spec = std::make_shared<RouteTableSpec>();
  VirtualHost& host = spec->virtual_hosts.emplace_back();
  host.domains = {domain};
  for (int64_t i = 0; i < routes; ++i) {
    Route& route = host.routes.emplace_back();
    route.action = Forward{};
    PathMatch& path = route.match.path;
    path.value = pathOfRoute(i);
    const bool exact = kind == Kind::Exact || (kind == Kind::Mixed && i % 2 == 0);
    if (exact) path.kind = PathMatch::Kind::Exact;
    if (kind == Kind::Regex) {
      path.kind = PathMatch::Kind::Regex;
      path.value += ".*";
    }
    // All on one path; the last has no condition.
    if (kind == Kind::HeaderGuarded) {
      path.value = "/";
      if (i + 1 < routes) {
        HeaderMatch& header = route.match.headers.emplace_back();
        header.name = "x-c";
        header.value = StringMatch{.value = std::to_string(i)};
      }
    }
  }
  return RouteTable::compile(std::move(spec)).value();
}

// The last route of the table answers.
void match(benchmark::State& state, Kind kind, const char* domain) {
  const auto table = tableOf(state.range(0), kind, domain);
  std::string target = pathOfRoute(state.range(0) - 1);
  // The last of the mixed routes is a prefix.
  target += kind == Kind::Exact ? "?page=2" : "users?page=2";
  const http::RequestHead head = request(target);
  event::Random random(1);
  if (table->match(head, random) == nullptr) state.SkipWithError("no route");
  for (auto _ : state) benchmark::DoNotOptimize(table->match(head, random));
}

void sizes(benchmark::internal::Benchmark* b) {
  b->Arg(10)->Arg(1'000);
}

BENCHMARK_CAPTURE(match, prefix, Kind::Prefix, "*")->Apply(sizes);
BENCHMARK_CAPTURE(match, prefix_by_host, Kind::Prefix, "www.example.com")->Apply(sizes);
BENCHMARK_CAPTURE(match, prefix_by_wildcard, Kind::Prefix, "*.example.com")->Apply(sizes);
BENCHMARK_CAPTURE(match, exact, Kind::Exact, "*")->Apply(sizes);
BENCHMARK_CAPTURE(match, mixed, Kind::Mixed, "*")->Apply(sizes);
BENCHMARK_CAPTURE(match, regex, Kind::Regex, "*")->Apply(sizes);
BENCHMARK_CAPTURE(match, header_guarded, Kind::HeaderGuarded, "*")->Apply(sizes);

}  // namespace
}  // namespace convoy::route

BENCHMARK_MAIN();
