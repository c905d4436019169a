#include "proxy/http/h2_session.h"

#include <string>

#include "gtest/gtest.h"
#include "test/proxy/http/h2_recorder.h"

namespace convoy::http {
namespace {

using namespace h2;

// What both roles share is tested through them; here is how they meet.
struct Pair {
  H2ClientRecorder client;
  H2ServerRecorder server;

  void move() {
    while (!client.out.empty() || !server.out.empty()) {
      const std::string up = client.out.toString();
      client.out.clear();
      if (!up.empty()) server.feed(up);
      const std::string down = server.out.toString();
      server.out.clear();
      if (!down.empty()) client.codec.dispatch(down);
    }
  }
};

TEST(H2SessionTest, WhatAClientWritesAServerReads) {
  Pair pair;
  pair.server.on_request_end = [](H2Request& request) {
    ResponseHead head;
    head.status = 200;
    head.body = {BodyLength::Kind::Known, 2};
    request.sender->sendHead(head, false);
    request.sender->sendBody("ok", true);
  };
  H2Response& response = pair.client.request("POST", false, {BodyLength::Kind::Known, 5});
  response.sender->sendBody("hello", true);
  pair.move();
  EXPECT_EQ(pair.server.events.take(),
            "1: POST / a.test HTTP/2 body=5 keep-alive\nbody hello\n1: end\ncomplete\n");
  EXPECT_EQ(pair.client.events.take(), "1: 200  HTTP/2 body=2\nbody ok\n1: end\ncomplete\n");
  EXPECT_TRUE(pair.client.codec.idle() && pair.server.codec.idle());
}

TEST(H2SessionTest, ADrainedServerRetiresTheClientAndLosesNothing) {
  Pair pair;
  pair.client.request("GET");
  pair.move();
  pair.server.codec.goAway();
  pair.move();
  EXPECT_EQ(pair.client.events.take(), "go away\n");
  EXPECT_TRUE(pair.server.codec.session().goAwaySent());
  ResponseHead head;
  head.status = 200;
  pair.server.requests[0]->sender->sendHead(head, true);
  pair.move();
  EXPECT_EQ(pair.client.events.take(), "1: 200  HTTP/2 body=none\n1: end\ncomplete\n");
  EXPECT_TRUE(pair.server.codec.mustClose() && pair.client.codec.mustClose());
}

TEST(H2SessionTest, TheBudgetOfABusyConnectionStaysFull) {
  Pair pair;
  pair.server.on_request_end = [](H2Request& request) {
    ResponseHead head;
    head.status = 200;
    request.sender->sendHead(head, false);
    request.sender->sendBody(std::string(100'000, 'x'), true);
  };
  for (int i = 0; i < 300; ++i) {
    pair.client.request("GET");
    pair.move();
  }
  EXPECT_GT(pair.server.codec.session().floodBudgetLeft(), 3900);
  EXPECT_GT(pair.client.codec.session().floodBudgetLeft(), 3900);
  pair.client.events.take();
}

}  // namespace
}  // namespace convoy::http
