#include "proxy/upstream/pool_stream.h"

#include "test/proxy/upstream/fixture.h"

namespace convoy::upstream {
namespace {

using http::Failure;
using test::TestRequest;

class PoolStreamTest : public test::UpstreamTest {};

// Every call on a stream that has ended does nothing: its caller may be inside the very callback
// that ended it.
TEST_F(PoolStreamTest, CallsAfterTheEndDoNothing) {
  makeCluster();
  TestRequest request;
  request.when_ready = [&] { request.sendPostHead(); };
  send(request);
  http::RequestSender* stale = request.sender;
  int calls = 0;
  request.when_reset = [&] {
    // Still on its connection: the codec ignores what comes now.
    EXPECT_EQ(request.info->remoteAddress(), address(1));
    stale->reset(Failure::None);
    stale->reset(Failure::None);
    http::RequestHead head;
    stale->sendHead(head, true);
    stale->sendBody("x", true);
    stale->sendTrailers({});
    stale->pauseReceiving();
    stale->resumeReceiving();
    ++calls;
  };
  peer(0).connection->close(net::CloseMode::Reset);
  run();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(metrics().upstream_rq_active.value(), 0);
  EXPECT_EQ(metrics().upstream_cx_active.value(), 0);
}

TEST_F(PoolStreamTest, ForwardsPauses) {
  makeCluster();
  TestRequest request;
  send(request);
  request.sender->pauseReceiving();
  peer(0).send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  run();
  request.sender->resumeReceiving();
  run();
  EXPECT_EQ(request.body, "ok");
}

TEST_F(PoolStreamTest, AWarmPoolUsesTheSameObjectsAgain) {
  makeCluster();
  for (int i = 0; i < 50; ++i) {
    TestRequest request;
    send(request);
    answer(peer(0));
    EXPECT_EQ(request.status, 200);
  }
  EXPECT_EQ(cluster().streams().sizeForTest(), 1u);
  TestRequest together[3];
  for (TestRequest& request : together) request.start(cluster());
  EXPECT_EQ(cluster().streams().sizeForTest(), 3u);
}

// An ended stream must not become another request's before the turn is over.
TEST_F(PoolStreamTest, IsNotUsedAgainInTheSameTurn) {
  makeCluster();
  TestRequest first;
  TestRequest second;
  send(first);
  const event::Loop::TurnScope turn(loop_.loop());
  http::RequestSender* stale = first.sender;
  first.giveUp();
  second.start(cluster());
  EXPECT_NE(static_cast<void*>(second.pending), static_cast<void*>(stale));
  EXPECT_EQ(cluster().streams().sizeForTest(), 2u);
}

}  // namespace
}  // namespace convoy::upstream
