#include "proxy/upstream/conn_pool.h"

#include "test/proxy/upstream/fixture.h"

namespace convoy::upstream {
namespace {

using http::Failure;
using test::Peer;
using test::TestRequest;

class ConnPoolTest : public test::UpstreamTest {};

TEST_F(ConnPoolTest, OpensAConnectionAndUsesItAgain) {
  makeCluster();
  TestRequest first;
  first.start(cluster());
  EXPECT_TRUE(first.waiting());
  EXPECT_EQ(counts(first.host).pending, 1u);
  EXPECT_EQ(counts(first.host).connecting, 1u);
  run();
  EXPECT_FALSE(first.waiting());
  EXPECT_EQ(first.streams_before, 0u);
  ASSERT_EQ(io_.peers.size(), 1u);
  EXPECT_EQ(peer(0).address, address(1));
  EXPECT_EQ(peer(0).take().substr(0, 16), "GET / HTTP/1.1\r\n");
  EXPECT_EQ(counts(first.host).busy, 1u);
  answer(peer(0), "hello");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.body, "hello");
  EXPECT_EQ(first.ends, 1);
  EXPECT_EQ(counts(first.host).idle, 1u);

  TestRequest second;
  second.start(cluster());
  EXPECT_FALSE(second.waiting()) << "ready from inside newStream()";
  EXPECT_EQ(second.streams_before, 1u);
  run();
  answer(peer(0));
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(io_.peers.size(), 1u);
  EXPECT_EQ(metrics().upstream_cx_total.value(), 1u);
  EXPECT_EQ(metrics().upstream_rq_total.value(), 2u);
  EXPECT_EQ(metrics().upstream_rq_active.value(), 0);
  EXPECT_EQ(metrics().upstream_rq_pending_total.value(), 1u);
  EXPECT_EQ(metrics().upstream_rq_pending_active.value(), 0);
  EXPECT_EQ(first.host.metrics().rq_total.value(), 2u);
  EXPECT_EQ(first.host.metrics().rq_active.value(), 0);
  EXPECT_EQ(first.host.metrics().cx_total.value(), 1u);
}

}  // namespace
}  // namespace convoy::upstream
