#include "proxy/route/compiled_route.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "proxy/route/conditions.h"
#include "test/proxy/route/requests.h"

namespace convoy::route {
namespace {

using namespace std::chrono_literals;
using Action = HeaderEdit::Action;

// A table of one route, to be filled in before compile().
class CompiledRouteTest : public testing::Test {
 protected:
  CompiledRouteTest() { host_.routes.push_back(test::prefixTo("web", "/")); }

  Route& route() { return host_.routes[0]; }
  Forward& forward() { return std::get<Forward>(route().action); }
  const CompiledRoute& compile() {
    auto conditions = Conditions::compile(route().match);
    compiled_ =
        std::make_unique<CompiledRoute>(table_, host_, route(), 7, *std::move(conditions), nullptr);
    return *compiled_;
  }
  static std::string text(const http::HeaderList& headers) {
    std::string out;
    for (const http::HeaderField& field : headers) {
      out.append(field.name).append("=").append(field.value).append(";");
    }
    return out;
  }

  RouteTableSpec table_;
  VirtualHost host_;
  std::unique_ptr<CompiledRoute> compiled_;
};

TEST_F(CompiledRouteTest, KnowsWhatItIsMadeOf) {
  const CompiledRoute& compiled = compile();
  EXPECT_EQ(&compiled.spec(), &route());
  EXPECT_EQ(&compiled.virtualHost(), &host_);
  EXPECT_EQ(compiled.id(), 7u);
  EXPECT_NE(compiled.forward(), nullptr);
  EXPECT_EQ(compiled.directResponse(), nullptr);
  EXPECT_EQ(compiled.redirect(), nullptr);
}

TEST_F(CompiledRouteTest, KnowsItsAction) {
  route().action = DirectResponse{.status = 404, .body = "no"};
  EXPECT_EQ(compile().directResponse()->body, "no");
  EXPECT_EQ(compiled_->forward(), nullptr);
  route().action = Redirect{};
  std::get<Redirect>(route().action).scheme = "https";
  base::Arena arena;
  EXPECT_EQ(compile().location(test::request("/x"), arena), "https://a.example/x");
}

TEST_F(CompiledRouteTest, TimeOutsHaveEnvoysDefaults) {
  EXPECT_EQ(compile().timeout(), 15s);
  EXPECT_EQ(compiled_->firstByteTimeout(), 0s);
  EXPECT_EQ(compiled_->idleTimeout(), std::nullopt);
  forward().timeout = Milliseconds(0);
  forward().idle_timeout = Milliseconds(2500);
  forward().first_byte_timeout = Milliseconds(700);
  EXPECT_EQ(compile().timeout(), 0s);
  EXPECT_EQ(compiled_->idleTimeout(), event::Duration(2500ms));
  EXPECT_EQ(compiled_->firstByteTimeout(), 700ms);
}

TEST_F(CompiledRouteTest, OneClusterIsAlwaysChosen) {
  event::Random random(1);
  forward().subset = base::subsetKeyOf({{"version", "v2"}});
  EXPECT_EQ(compile().chooseCluster(random).cluster, "web");
  EXPECT_EQ(compiled_->chooseCluster(random).subset, forward().subset);
}

TEST_F(CompiledRouteTest, SeveralClustersByWeight) {
  forward().cluster.clear();
  forward().weighted = {{"a", 1}, {"none", 0}, {"b", 9, base::subsetKeyOf({{"stage", "canary"}})}};
  event::Random random(5);
  std::map<std::string_view, int> chosen;
  const CompiledRoute& compiled = compile();
  for (int i = 0; i < 10'000; ++i) ++chosen[compiled.chooseCluster(random).cluster];
  EXPECT_NEAR(chosen["a"], 1000, 150);
  EXPECT_NEAR(chosen["b"], 9000, 150);
  EXPECT_EQ(chosen.count("none"), 0u);
  for (int i = 0; i < 100; ++i) {
    const CompiledRoute::Target target = compiled.chooseCluster(random);
    EXPECT_EQ(target.subset.empty(), target.cluster == "a");
  }
}

struct Named final : PerRouteFilterSpec {
  explicit Named(const char* name) : name(name) {}
  const char* name;
};

TEST_F(CompiledRouteTest, TheMostSpecificFilterConfigurationCounts) {
  const auto of_route = std::make_shared<Named>("route");
  const auto of_host = std::make_shared<Named>("host");
  const auto of_table = std::make_shared<Named>("table");
  route().filters = {{"all", of_route}};
  host_.filters = {{"all", of_host}, {"two", of_host}};
  table_.filters = {{"all", of_table}, {"two", of_table}, {"one", of_table}};
  const CompiledRoute& compiled = compile();
  EXPECT_EQ(compiled.filterConfig("all"), of_route.get());
  EXPECT_EQ(compiled.filterConfig("two"), of_host.get());
  EXPECT_EQ(compiled.filterConfig("one"), of_table.get());
  EXPECT_EQ(compiled.filterConfig("none"), nullptr);
}

TEST_F(CompiledRouteTest, ShowsAFilterWhatEveryLevelSays) {
  const auto of_route = std::make_shared<PerRouteFilterSpec>();
  const auto of_host = std::make_shared<PerRouteFilterSpec>();
  const auto of_table = std::make_shared<PerRouteFilterSpec>();
  route().filters = {{"all", of_route}, {"other", of_route}};
  host_.filters = {{"all", of_host}};
  table_.filters = {{"all", of_table}};
  const CompiledRoute& compiled = compile();
  using Levels = std::vector<const PerRouteFilterSpec*>;
  const auto levels = [&](bool most_specific_last) {
    Levels seen;
    compiled.forEachFilterConfig("all", most_specific_last, [&](const PerRouteFilterSpec& config) {
      seen.push_back(&config);
    });
    return seen;
  };
  EXPECT_EQ(levels(false), Levels({of_route.get(), of_host.get(), of_table.get()}));
  EXPECT_EQ(levels(true), Levels({of_table.get(), of_host.get(), of_route.get()}));
}

HeaderEdits edits(const char* value) {
  HeaderEdits out;
  out.request = {{"x-level", value, Action::OverwriteIfExistsOrAdd},
                 {"x-trace", value, Action::AppendIfExistsOrAdd}};
  out.response = out.request;
  out.request_remove = {"x-remove"};
  out.response_remove = {"server"};
  return out;
}

TEST_F(CompiledRouteTest, EditsHeadersOfAllLevels) {
  test::Scope scope;
  route().edits = edits("route");
  host_.edits = edits("host");
  table_.edits = edits("table");
  http::RequestHead head = test::request("/", "h", {{"X-Remove", "1"}, {"b", "2"}});
  compile().editRequest(head, scope.get());
  // The least specific level comes last, and wins.
  EXPECT_EQ(text(head.headers), "b=2;x-level=table;x-trace=route;x-trace=host;x-trace=table;");
  http::ResponseHead response;
  response.headers.add("server", "s");
  compiled_->editResponse(response, scope.get());
  EXPECT_EQ(text(response.headers), "x-level=table;x-trace=route;x-trace=host;x-trace=table;");

  table_.most_specific_header_mutations_wins = true;
  head = test::request("/");
  compile().editRequest(head, scope.get());
  EXPECT_EQ(text(head.headers), "x-level=route;x-trace=table;x-trace=host;x-trace=route;");
}

TEST_F(CompiledRouteTest, RewritesPathAndHost) {
  base::Arena arena;
  http::RequestHead head = test::request("/api/x?q", "a.example");
  compile().rewrite(head, arena);
  EXPECT_EQ(head.target, "/api/x?q");
  EXPECT_EQ(head.authority, "a.example");
  route().match.path.value = "/api/";
  forward().prefix_rewrite = "/v2/";
  forward().host_rewrite = "inner";
  compile().rewrite(head, arena);
  EXPECT_EQ(head.target, "/v2/x?q");
  EXPECT_EQ(head.authority, "inner");
}

TEST_F(CompiledRouteTest, SaysWhichTunnelsItAllows) {
  EXPECT_EQ(compile().allowsTunnel("websocket"), std::nullopt);
  EXPECT_EQ(compiled_->tunnelIdleTimeout(), std::nullopt);
  forward().upgrades = {{"WebSocket", true}, {"CONNECT", false}};
  forward().tunnel_idle_timeout = Milliseconds(9000);
  EXPECT_EQ(compile().allowsTunnel("websocket"), true);
  EXPECT_EQ(compiled_->allowsTunnel("connect"), false);
  EXPECT_EQ(compiled_->allowsTunnel("other"), std::nullopt);
  EXPECT_EQ(compiled_->tunnelIdleTimeout(), event::Duration(9s));
  route().action = DirectResponse{};
  EXPECT_EQ(compile().allowsTunnel("websocket"), std::nullopt);
}

// As Envoy documents RouteAction.MaxStreamDuration.
TEST_F(CompiledRouteTest, LimitsStreamsByRouteOrClient) {
  using Time = std::optional<Milliseconds>;
  struct Case {
    Time route, header_max;
    Milliseconds offset;
    std::optional<event::Duration> header;
    // none: the connection manager's limit; off; or milliseconds, by whom.
    std::string expected;
  };
  const Case cases[] = {
      {std::nullopt, std::nullopt, 0ms, std::nullopt, "none"},
      {std::nullopt, std::nullopt, 0ms, 5s, "none"},
      {Time(0), std::nullopt, 0ms, 5s, "off"},
      {Time(7000), std::nullopt, 0ms, 5s, "7000 route"},
      {Time(7000), Time(9000), 0ms, std::nullopt, "7000 route"},
      {Time(7000), Time(9000), 0ms, 8s, "8000 client"},
      {Time(7000), Time(9000), 0ms, 99s, "9000 client"},
      {std::nullopt, Time(0), 0ms, 99s, "99000 client"},
      {std::nullopt, Time(9000), 500ms, 99s, "8500 client"},
      {std::nullopt, Time(9000), 500ms, 300ms, "0 client"},
      {std::nullopt, Time(9000), 0ms, 0s, "0 client"},
  };
  for (const Case& c : cases) {
    forward().max_stream_duration = c.route;
    forward().grpc_timeout_header_max = c.header_max;
    forward().grpc_timeout_header_offset = c.offset;
    const auto limit = compile().streamLimit(c.header);
    std::string got = "none";
    if (limit.has_value()) {
      got = limit->duration.has_value() ? std::to_string(*limit->duration / event::Duration(1ms)) +
                                              (limit->of_client ? " client" : " route")
                                        : "off";
    }
    EXPECT_EQ(got, c.expected);
  }
}

}  // namespace
}  // namespace convoy::route
