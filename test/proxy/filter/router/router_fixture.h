#pragma once

// A router with its cluster on simulated time, and one request through it.

#include <memory>
#include <string>
#include <utility>

#include "proxy/filter/router/router_filter.h"
#include "test/proxy/filter/router/fake_context.h"
#include "test/proxy/route/requests.h"
#include "test/proxy/upstream/fixture.h"

namespace convoy::test {

using http::FilterVerdict;

// One request through a router of its own.
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
  ~Exchange() { end(); }
  void end() {
    if (!std::exchange(ended_, true)) filter->onStreamEnd();
  }

  FilterVerdict start(bool end_of_stream = true) {
    return filter->onRequestHead(head, end_of_stream);
  }
  void sendBody(std::string_view bytes, bool end_of_stream) {
    EXPECT_EQ(filter->onRequestBody(bytes, end_of_stream), FilterVerdict::Continue);
  }

  FakeContext context;
  http::RequestHead head;
  http::Filter* filter;

 private:
  base::Arena arena_;
  event::Random random_;
  bool ended_ = false;
};

class RouterTest : public UpstreamTest {
 protected:
  RouterTest()
      : services_{loop_.loop(), manager_->worker(0), 0},
        factory_(filter::router::makeRouterFactory(spec_, services_)) {
    route_ = prefixTo("web", "/");
    compile();
  }
  route::Forward& forward() { return std::get<route::Forward>(route_.action); }
  void compile() {
    auto table = route::RouteTable::compile(tableOf({virtualHost("v", {"*"}, {route_})}));
    ASSERT_TRUE(table.ok()) << table.status();
    table_ = *std::move(table);
  }
  std::unique_ptr<Exchange> exchange(http::RequestHead head = request("/a")) {
    return std::make_unique<Exchange>(loop_.loop(), *factory_, *table_, std::move(head));
  }
  static http::RequestHead post() {
    http::RequestHead head = request("/a");
    head.method = "POST";
    head.body = {.kind = http::BodyLength::Kind::Unknown};
    return head;
  }
  // A GET that has reached its host.
  std::unique_ptr<Exchange> sent(http::RequestHead head = request("/a")) {
    auto out = exchange(std::move(head));
    EXPECT_EQ(out->start(), FilterVerdict::Pause) << "waits for its connection";
    run();
    return out;
  }
  static bool gone(const Peer& peer) {
    return peer.handler.ended || peer.handler.closed.has_value();
  }
  // Leaves a connection behind that has served one request.
  void warm() {
    auto first = sent();
    answer(peer(0));
    EXPECT_EQ(first->context.status, 200);
    EXPECT_FALSE(peer(0).take().empty());
  }

  const std::shared_ptr<filter::router::RouterSpec> spec_ =
      std::make_shared<filter::router::RouterSpec>();
  filter::WorkerServices services_;
  std::unique_ptr<http::FilterFactory> factory_;
  route::Route route_;
  std::shared_ptr<const route::RouteTable> table_;
};

}  // namespace convoy::test
