// Nodes that tell each other what they learn: the filter, in front of a Redis server that the test
// plays by hand.

#include "proxy/filter/stateful_session/shared_sessions.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/filter/redis_clients.h"
#include "proxy/filter/stateful_session/stateful_session_filter.h"
#include "proxy/route/matcher.h"
#include "test/proxy/filter/router/fake_context.h"
#include "test/proxy/route/requests.h"
#include "test/proxy/upstream/fixture.h"

namespace convoy::filter::stateful_session {
namespace {

using namespace std::chrono_literals;
using http::FilterVerdict;
using Found = http::SessionBinding::Found;

// HMAC-SHA-256 of "joe" under "web", the first 16 bytes (openssl dgst -sha256 -hmac web).
constexpr char kKey[] = "sticky:f0de37854882928d34e22f3c9f5db2b3";
constexpr char kHost1[] = "10.0.0.1:80";
constexpr char kHost2[] = "10.0.0.2:80";

std::string command(std::initializer_list<std::string> words) {
  std::string text = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words) {
    text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  return text;
}
std::string question(const std::string& key = kKey) {
  return command({"GET", key}) + command({"EXPIRE", key, "100"});
}
std::string notice(const std::string& host, const std::string& key = kKey) {
  return command({"SET", key, host, "EX", "100"});
}
std::string value(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n:1\r\n";
}
constexpr char kNothing[] = "$-1\r\n:0\r\n";
constexpr char kStored[] = "+OK\r\n";

// One request through a filter of its own.
class Exchange {
 public:
  Exchange(event::Loop& loop, http::FilterFactory& factory, const route::RouteTable& table,
           http::RequestHead with)
      : context(loop), head(std::move(with)), random_(1) {
    context.head = &head;
    context.matched = table.match(head, random_);
    filter = factory.create(arena_);
    filter->attach(context);
  }
  ~Exchange() { filter->onStreamEnd(); }

  FilterVerdict ask() { return filter->onRequestHead(head, true); }
  FilterVerdict answer(const std::string& host, const std::string& set_cookie = "") {
    host_ = host;
    context.info().cluster = "web";
    context.info().upstream_host = host_;
    context.info().response_started = context.loop().now();
    if (!set_cookie.empty()) response_.headers.add(http::HeaderName::SetCookie, set_cookie);
    return filter->onResponseHead(response_, true);
  }
  // Of the session; "-" without.
  std::string host() {
    const http::SessionBinding* const session = context.info().session;
    if (session == nullptr) return "nobody knows yet";
    return session->found == Found::Host ? std::string(session->host) : "-";
  }

  test::FakeContext context;
  http::RequestHead head;
  http::Filter* filter;

 private:
  base::Arena arena_;
  event::Random random_;
  std::string host_;
  http::ResponseHead response_;
};

class SharedSessionsTest : public test::UpstreamTest {
 protected:
  SharedSessionsTest() {
    apply({.clusters = {clusterSpec("web"), clusterSpec("redis")},
           .assignments = {{"web", assignment({endpoint(1), endpoint(2)})},
                           {"redis", assignment({endpoint(9)})}}});
    auto table = route::RouteTable::compile(
        test::tableOf({test::virtualHost("v", {"*"}, {test::prefixTo("web", "/")})}));
    table_ = *std::move(table);
    learn({.table = "web", .key = Learned::Key::Header, .name = "x-user"});
  }
  ~SharedSessionsTest() override { clients_.reset(); }

  void learn(Learned spec) {
    learned_ = std::move(spec);
    learned_.ttl = 100s;
    learned_.shared = SharedIn{.server = {.cluster = "redis"}};
    start();
  }
  // A node that has learned nothing yet.
  void start() {
    auto made = std::make_shared<StatefulSessionSpec>();
    made->kind = kKind;
    made->name = "sessions";
    made->session.state = learned_;
    spec_ = std::move(made);
    clients_ = std::make_unique<RedisClients>(loop_.loop(), manager_->worker(0), 0, groups_);
    factory_ = makeFactory(spec_, std::make_shared<SessionTables>(),
                           {loop_.loop(), manager_->worker(0), 0, clients_.get()});
    io_.peers.clear();
  }
  // Its connection to Redis, by a client that nobody knows.
  void connect() {
    auto stranger = request("nobody");
    EXPECT_EQ(stranger->ask(), FilterVerdict::Pause);
    run();
    say("+PONG\r\n");
    say(kNothing);
    server().take();
  }
  std::unique_ptr<Exchange> request(std::string_view user = "joe") {
    return exchange(test::request("/", "h", {{"x-user", user}}));
  }
  std::unique_ptr<Exchange> exchange(http::RequestHead head) {
    return std::make_unique<Exchange>(loop_.loop(), *factory_, *table_, std::move(head));
  }
  // A client that this node knows, and that Redis has been told of.
  void know(const std::string& host) {
    auto first = request();
    EXPECT_EQ(first->ask(), FilterVerdict::Pause);
    run();
    say(kNothing);
    EXPECT_EQ(first->answer(host), FilterVerdict::Pause);
    run();
    say(kStored);
    server().take();
  }
  test::Peer& server() { return *io_.peers.back(); }
  void say(const std::string& bytes) {
    server().send(bytes);
    run();
  }
  std::string heard() {
    run();
    return server().take();
  }
  void pass(event::Duration time) {
    clock_.advanceInSteps(time, 10ms);
    run();
  }
  redis::ClientMetrics& counters() {
    return clients_->get(SharedIn{.server = {.cluster = "redis"}}.server).metrics();
  }

  redis::ClientMetricGroups groups_{registry_, 1};
  Learned learned_;
  std::shared_ptr<const StatefulSessionSpec> spec_;
  std::shared_ptr<const route::RouteTable> table_;
  std::unique_ptr<RedisClients> clients_;
  std::unique_ptr<http::FilterFactory> factory_;
};

TEST_F(SharedSessionsTest, AnotherNodesClientMeetsItsHost) {
  connect();
  auto first = request();
  EXPECT_EQ(first->ask(), FilterVerdict::Pause);
  EXPECT_EQ(first->host(), "nobody knows yet");
  EXPECT_EQ(heard(), question());
  say(value(kHost2));
  EXPECT_EQ(first->context.continued_requests, 1);
  EXPECT_EQ(first->host(), kHost2);
  EXPECT_EQ(first->answer(kHost2), FilterVerdict::Continue);
  EXPECT_EQ(heard(), "") << "the others know";
  EXPECT_EQ(cluster().metrics().sticky_entries.value(), 1);

  auto second = request();
  EXPECT_EQ(second->ask(), FilterVerdict::Continue) << "this node knows, too, by now";
  EXPECT_EQ(second->host(), kHost2);
  EXPECT_EQ(counters().lookups.value(), 2u);
  EXPECT_EQ(counters().hits.value(), 1u);
  EXPECT_EQ(counters().misses.value(), 1u);
}

TEST_F(SharedSessionsTest, AResponseThatBeginsASessionWaitsUntilTheOthersCanKnow) {
  connect();
  auto first = request();
  EXPECT_EQ(first->ask(), FilterVerdict::Pause);
  EXPECT_EQ(heard(), question());
  say(kNothing);
  EXPECT_EQ(first->context.continued_requests, 1);
  EXPECT_EQ(first->host(), "-");
  EXPECT_EQ(first->answer(kHost1), FilterVerdict::Pause);
  EXPECT_EQ(heard(), notice(kHost1));
  EXPECT_EQ(first->context.continued_responses, 0);
  say(kStored);
  EXPECT_EQ(first->context.continued_responses, 1);
}

TEST_F(SharedSessionsTest, WithoutRedisTheAlgorithmDecidesAndNobodyWaits) {
  io_.refuse = true;
  auto first = request("1");
  EXPECT_EQ(first->ask(), FilterVerdict::Pause) << "nobody knows yet";
  run();
  EXPECT_EQ(first->context.continued_requests, 1);
  EXPECT_EQ(first->host(), "-");
  auto second = request("2");
  EXPECT_EQ(second->ask(), FilterVerdict::Continue);
  EXPECT_EQ(second->host(), "-");
  EXPECT_EQ(second->answer(kHost1), FilterVerdict::Continue);
  auto again = request("2");
  EXPECT_EQ(again->ask(), FilterVerdict::Continue);
  EXPECT_EQ(again->host(), kHost1) << "what this node has learned by itself";
}

TEST_F(SharedSessionsTest, OneRequestWaitsForARedisThatHangs) {
  connect();
  auto first = request("1");
  EXPECT_EQ(first->ask(), FilterVerdict::Pause);
  pass(10ms);
  EXPECT_EQ(first->context.continued_requests, 0);
  pass(10ms);
  EXPECT_EQ(first->context.continued_requests, 1);
  EXPECT_EQ(first->host(), "-");
  EXPECT_EQ(first->answer(kHost1), FilterVerdict::Continue);
  EXPECT_EQ(request("2")->ask(), FilterVerdict::Continue);
  EXPECT_EQ(counters().timeouts.value(), 2u) << "GET and EXPIRE";
}

TEST_F(SharedSessionsTest, AResponseWaitsNoLonger) {
  connect();
  auto first = request();
  EXPECT_EQ(first->ask(), FilterVerdict::Pause);
  run();
  say(kNothing);
  EXPECT_EQ(first->answer(kHost1), FilterVerdict::Pause);
  pass(20ms);
  EXPECT_EQ(first->context.continued_responses, 1);
}

TEST_F(SharedSessionsTest, AHostThatGetsNoRequestsIsReplacedForAll) {
  connect();
  auto first = request();
  EXPECT_EQ(first->ask(), FilterVerdict::Pause);
  run();
  say(value("10.0.0.7:80"));
  EXPECT_EQ(first->host(), "10.0.0.7:80") << "the pick will not find it";
  server().take();
  EXPECT_EQ(first->answer(kHost1), FilterVerdict::Pause);
  EXPECT_EQ(heard(), notice(kHost1));
}

TEST_F(SharedSessionsTest, WhereAClientWasMovedIsAskedBeforeItIsMovedAgain) {
  connect();
  know(kHost1);
  apply({.assignments = {{"web", assignment({endpoint(2), endpoint(3)})}}});
  auto moved = request();
  EXPECT_EQ(moved->ask(), FilterVerdict::Pause);
  EXPECT_EQ(heard(), question());
  say(value(kHost2));
  EXPECT_EQ(moved->host(), kHost2);
  EXPECT_EQ(moved->answer(kHost2), FilterVerdict::Continue);
  auto next = request();
  EXPECT_EQ(next->ask(), FilterVerdict::Continue);
  EXPECT_EQ(next->host(), kHost2);
}

TEST_F(SharedSessionsTest, WhatRedisHoldsMayBeAnything) {
  connect();
  uint64_t errors = 0;
  for (const std::string& text :
       {std::string(SharedSessions::kMostHost + 1, '1'), std::string("10.0.0.1:80\r\nx: y"),
        std::string(), std::string("\0\0\0", 3), std::string("\xff\xfe"), std::string(" ")}) {
    auto asked = request();
    EXPECT_EQ(asked->ask(), FilterVerdict::Pause);
    run();
    say(value(text));
    EXPECT_EQ(asked->context.continued_requests, 1);
    EXPECT_EQ(asked->host(), "-");
    EXPECT_EQ(counters().errors.value(), ++errors);
  }
  for (const char* const reply : {"-WRONGTYPE Operation against a key\r\n:1\r\n", ":1\r\n:1\r\n",
                                  "+OK\r\n:1\r\n", "-MOVED 3999 127.0.0.1:6381\r\n:1\r\n"}) {
    auto asked = request();
    EXPECT_EQ(asked->ask(), FilterVerdict::Pause);
    run();
    say(reply);
    EXPECT_EQ(asked->host(), "-") << reply;
  }
}

TEST_F(SharedSessionsTest, WhatThisNodeKnowsIsCheckedBesideTheRequest) {
  connect();
  know(kHost1);
  pass(9990ms);
  EXPECT_EQ(request()->ask(), FilterVerdict::Continue);
  EXPECT_EQ(heard(), "");
  pass(10ms);
  auto checked = request();
  EXPECT_EQ(checked->ask(), FilterVerdict::Continue);
  EXPECT_EQ(checked->host(), kHost1);
  EXPECT_EQ(heard(), question());
  EXPECT_EQ(request()->ask(), FilterVerdict::Continue);
  EXPECT_EQ(heard(), "") << "once";
  say(value(kHost2));
  EXPECT_EQ(heard(), "");
  auto next = request();
  EXPECT_EQ(next->ask(), FilterVerdict::Continue);
  EXPECT_EQ(next->host(), kHost2) << "another node has moved it";
}

TEST_F(SharedSessionsTest, ARedisThatHasForgottenIsTold) {
  for (const std::string& reply :
       {std::string(kNothing), value("10.0.0.7:80"), value("nonsense \x01")}) {
    start();
    connect();
    know(kHost1);
    pass(10s);
    EXPECT_EQ(request()->ask(), FilterVerdict::Continue);
    EXPECT_EQ(heard(), question());
    say(reply);
    EXPECT_EQ(heard(), notice(kHost1)) << reply;
    say(kStored);
    auto next = request();
    EXPECT_EQ(next->ask(), FilterVerdict::Continue);
    EXPECT_EQ(next->host(), kHost1);
  }
}

TEST_F(SharedSessionsTest, OfWeightedClustersAnyMayHaveTheHost) {
  apply({.clusters = {clusterSpec("api")}, .assignments = {{"api", assignment({endpoint(3)})}}});
  route::Route route = test::prefixTo("web", "/");
  std::get<route::Forward>(route.action).weighted = {{"web", 50}, {"api", 50}};
  auto table = route::RouteTable::compile(test::tableOf({test::virtualHost("v", {"*"}, {route})}));
  table_ = *std::move(table);
  connect();
  know(kHost1);
  pass(10s);
  EXPECT_EQ(request()->ask(), FilterVerdict::Continue);
  EXPECT_EQ(heard(), question());
  say(value("10.0.0.7:80"));
  EXPECT_EQ(heard(), notice(kHost1)) << "none of them has it";
  say(kStored);
  pass(10s);
  EXPECT_EQ(request()->ask(), FilterVerdict::Continue);
  EXPECT_EQ(heard(), question());
  say(value("10.0.0.3:80"));
  auto next = request();
  EXPECT_EQ(next->ask(), FilterVerdict::Continue);
  EXPECT_EQ(next->host(), "10.0.0.3:80");
}

TEST_F(SharedSessionsTest, ARequestThatEndsMeanwhileIsLeftAlone) {
  connect();
  auto first = request();
  EXPECT_EQ(first->ask(), FilterVerdict::Pause);
  run();
  first->filter->onStreamEnd();
  say(value(kHost1));
  EXPECT_EQ(first->context.continued_requests, 0);
  auto second = request();
  EXPECT_EQ(second->ask(), FilterVerdict::Pause);
  run();
  say(kNothing);
  EXPECT_EQ(second->answer(kHost1), FilterVerdict::Pause);
  second->filter->onStreamEnd();
  run();
  say(kStored);
  EXPECT_EQ(second->context.continued_responses, 0);
}

TEST_F(SharedSessionsTest, OnlyHostsBeginSessionsOfTheirCookies) {
  learn({.table = "web", .key = Learned::Key::Cookie, .name = "sid"});
  auto stranger = exchange(test::request("/", "h", {{"cookie", "sid=joe"}}));
  EXPECT_EQ(stranger->ask(), FilterVerdict::Pause);
  run();
  say("+PONG\r\n");
  EXPECT_EQ(heard(), "*1\r\n$4\r\nPING\r\n" + question());
  say(kNothing);
  EXPECT_EQ(stranger->host(), "-");
  EXPECT_EQ(stranger->answer(kHost1), FilterVerdict::Continue);
  EXPECT_EQ(heard(), "") << "a client's invention";

  auto begun = exchange(test::request("/", "h", {}));
  EXPECT_EQ(begun->ask(), FilterVerdict::Continue) << "without a cookie there is nothing to ask";
  EXPECT_EQ(begun->answer(kHost2, "sid=joe; Path=/"), FilterVerdict::Pause);
  EXPECT_EQ(heard(), notice(kHost2));
  say(kStored);
  EXPECT_EQ(begun->context.continued_responses, 1);
}

TEST_F(SharedSessionsTest, WithoutClientsOfRedisEachNodeLearnsByItself) {
  factory_ =
      makeFactory(spec_, std::make_shared<SessionTables>(), {loop_.loop(), manager_->worker(0), 0});
  auto first = request();
  EXPECT_EQ(first->ask(), FilterVerdict::Continue);
  EXPECT_EQ(first->answer(kHost1), FilterVerdict::Continue);
  auto second = request();
  EXPECT_EQ(second->ask(), FilterVerdict::Continue);
  EXPECT_EQ(second->host(), kHost1);
}

}  // namespace
}  // namespace convoy::filter::stateful_session
