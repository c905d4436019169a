// A warm pool allocates nothing to pick a host, to start a stream on it and to send a request head.

#include "test/common/allocations.h"
#include "test/proxy/upstream/fixture.h"

namespace convoy::upstream {
namespace {

using test::allocations;

class AllocationTest : public test::UpstreamTest {};

// What a caller does for one request that it gives up or sees end, without its own costs.
struct Caller final : http::ResponseReceiver, PoolCallbacks {
  void onStreamReady(http::RequestSender& with, UpstreamConnectionInfo&) override {
    http::RequestHead head;
    head.method = "GET";
    head.target = "/";
    head.authority = "upstream";
    head.scheme = "http";
    with.sendHead(head, /*end_of_stream=*/true);
  }
  void onStreamFailed(http::Failure) override { ADD_FAILURE(); }
  void onInformational(http::ResponseHead&) override {}
  void onResponseHead(http::ResponseHead&, bool) override {}
  void onResponseBody(std::string_view, bool end_of_stream) override { ended |= end_of_stream; }
  void onResponseTrailers(http::HeaderList&) override {}
  void onResponseReset(http::Failure) override { ADD_FAILURE(); }
  void onSendQueueAboveHigh() override {}
  void onSendQueueBelowLow() override {}
  bool ended = false;
};

TEST_F(AllocationTest, AWarmPoolAllocatesNothing) {
  for (const Algorithm algorithm :
       {Algorithm::RoundRobin, Algorithm::LeastConnections, Algorithm::WeightedLeastConnections,
        Algorithm::LeastRequest, Algorithm::Random, Algorithm::LeastResponseTime,
        Algorithm::PeakEwma, Algorithm::AdaptiveScore, Algorithm::IpHash, Algorithm::RingHash,
        Algorithm::Maglev}) {
    auto spec = clusterSpec();
    spec->balancing.algorithm = algorithm;
    makeCluster(spec);
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    for (int i = 0; i < 10; ++i) {
      Caller caller;
      WorkerCluster& cluster = *find();
      const uint64_t before = allocations();
      PickResult picked = cluster.pick({}, nullptr, 42);
      const HostRef host = picked.lease.ref();
      cluster.newStream(std::move(picked.lease), caller, caller);
      cluster.noteResult(host, 200, std::chrono::milliseconds(1));
      cluster.countResponse(host, 200, std::chrono::milliseconds(1));
      const uint64_t allocated = allocations() - before;
      run();
      io_.peers.back()->send(answer);
      run();
      EXPECT_TRUE(caller.ended);
      if (i == 0) {
        EXPECT_GT(allocated, 0u) << "nothing is counted";
      } else if (i >= 5) {
        EXPECT_EQ(allocated, 0u) << "algorithm " << static_cast<int>(algorithm) << ", request "
                                 << i;
      }
    }
    apply({.removed = {"web"}});
  }
}

}  // namespace
}  // namespace convoy::upstream
