#include "proxy/http/manager_runtime.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "proxy/http/stream.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::http {
namespace {

using namespace std::chrono_literals;

class ManagerRuntimeTest : public testing::Test {
 protected:
  std::shared_ptr<ManagerRuntime> make(const ConnectionManagerSpec& spec) {
    return std::make_shared<ManagerRuntime>(
        test_loop_.loop(), std::make_shared<const ConnectionManagerSpec>(spec), metrics_, nullptr);
  }
  test::SimulatedClock clock_;
  test::TestLoop test_loop_{clock_};
  ManagerMetrics metrics_;
};

TEST_F(ManagerRuntimeTest, UnsetMeansWhatEnvoyDocuments) {
  const auto runtime = make({});
  EXPECT_EQ(runtime->idle_queue->duration(), 1h);
  EXPECT_EQ(runtime->stream_idle_queue->duration(), 5min);
  EXPECT_EQ(runtime->drain_queue->duration(), 5s);
  EXPECT_EQ(runtime->request_queue, nullptr);
  EXPECT_EQ(runtime->stream_age_queue, nullptr);
  EXPECT_EQ(runtime->connection_age_queue, nullptr);
  EXPECT_EQ(runtime->h1_limits.max_head_bytes, 60U * 1024);
  EXPECT_EQ(runtime->h1_limits.max_fields, 100U);
  EXPECT_EQ(runtime->max_requests, UINT32_MAX);
}

TEST_F(ManagerRuntimeTest, CookiesOfHttp2MayBeAsLongAsTheRestOfAHead) {
  ConnectionManagerSpec spec;
  spec.max_request_headers_kb = 96;
  const auto runtime = make(spec);
  EXPECT_EQ(runtime->h2_options.max_head_bytes, 96U * 1024);
  EXPECT_EQ(runtime->h2_options.max_cookie_bytes, 96U * 1024);
}

TEST_F(ManagerRuntimeTest, TakesTimeOutsFromTheConfiguration) {
  ConnectionManagerSpec spec;
  spec.idle_timeout = 1s;
  spec.stream_idle_timeout = 2s;
  spec.request_timeout = 3s;
  spec.request_headers_timeout = 4s;
  spec.drain_timeout = 5s;
  spec.max_connection_duration = 6s;
  spec.max_stream_duration = 7s;
  const auto runtime = make(spec);
  EXPECT_EQ(runtime->idle_queue->duration(), 1s);
  EXPECT_EQ(runtime->stream_idle_queue->duration(), 2s);
  EXPECT_EQ(runtime->request_queue->duration(), 3s);
  EXPECT_EQ(runtime->head_queue->duration(), 4s);
  EXPECT_EQ(runtime->drain_queue->duration(), 5s);
  EXPECT_EQ(runtime->connection_age_queue->duration(), 6s);
  EXPECT_EQ(runtime->stream_age_queue->duration(), 7s);
}

TEST_F(ManagerRuntimeTest, ZeroAndUnsetMeanOff) {
  ConnectionManagerSpec spec;
  spec.idle_timeout = spec.stream_idle_timeout = spec.request_timeout = 0s;
  spec.request_headers_timeout = spec.drain_timeout = 0s;
  const auto runtime = make(spec);
  for (const event::DeadlineQueue* queue :
       {runtime->idle_queue, runtime->stream_idle_queue, runtime->request_queue,
        runtime->head_queue, runtime->drain_queue, runtime->connection_age_queue,
        runtime->stream_age_queue}) {
    EXPECT_EQ(queue, nullptr);
  }
}

TEST_F(ManagerRuntimeTest, AHeadHasTheStreamsIdleTimeIfItHasNoneOfItsOwn) {
  ConnectionManagerSpec spec;
  spec.stream_idle_timeout = 2s;
  EXPECT_EQ(make(spec)->head_queue->duration(), 2s);
}

TEST_F(ManagerRuntimeTest, TakesTheLimitsOfHeads) {
  ConnectionManagerSpec spec;
  spec.max_request_headers_kb = 8;
  spec.max_headers_count = 7;
  const auto runtime = make(spec);
  EXPECT_EQ(runtime->h1_limits.max_head_bytes, 8U * 1024);
  EXPECT_EQ(runtime->h1_limits.max_fields, 7U);
}

TEST_F(ManagerRuntimeTest, GivesAStreamOutAgain) {
  const auto runtime = make({});
  std::unique_ptr<ServerStream> first = runtime->takeStream();
  const ServerStream* const address = first.get();
  const std::unique_ptr<ServerStream> second = runtime->takeStream();
  EXPECT_NE(second.get(), address);
  runtime->giveBack(std::move(first));
  EXPECT_EQ(runtime->takeStream().get(), address);
}

class NoOwner final : public StreamOwner {
 public:
  const net::ConnectionAddresses& addresses() const override { return addresses_; }
  const net::Transport* transport() const override { return nullptr; }
  void onStreamFinished(ServerStream&, StreamEnd) override { ++finished; }
  size_t finished = 0;

 private:
  net::ConnectionAddresses addresses_;
};

class NoSender final : public ResponseSender {
 public:
  void sendInformational(const ResponseHead&) override {}
  void sendHead(const ResponseHead&, bool) override {}
  void leaveRequestUnread() override {}
  void sendBody(std::string_view, bool) override {}
  void sendTrailers(const HeaderList&) override {}
  uint64_t taken() override { return 0; }
  void reset(Failure) override {}
  void pauseReceiving() override {}
  void resumeReceiving() override {}
};

TEST_F(ManagerRuntimeTest, KeepsFewStreamsAndIsPinnedByRunningOnesOnly) {
  constexpr size_t kMost = 256;
  NoOwner owner;
  NoSender sender;
  auto runtime = make({});
  const std::weak_ptr<ManagerRuntime> watched = runtime;
  std::vector<std::unique_ptr<ServerStream>> streams;
  for (size_t i = 0; i < kMost + 1; ++i) {
    streams.push_back(runtime->takeStream());
    streams.back()->start(owner, sender, runtime);
    streams.back()->onRequestReset(Failure::DownstreamDisconnect);
  }
  EXPECT_EQ(owner.finished, kMost + 1);
  EXPECT_EQ(runtime.use_count(), kMost + 2) << "until they are recycled";
  std::vector<const ServerStream*> given;
  for (auto& stream : streams) {
    given.push_back(stream.get());
    runtime->giveBack(std::move(stream));
  }
  EXPECT_EQ(runtime.use_count(), 1);
  // The warmest first; the one too many is gone.
  for (size_t i = kMost; i > 0; --i) {
    streams[i - 1] = runtime->takeStream();
    EXPECT_EQ(streams[i - 1].get(), given[i - 1]);
  }
  streams.clear();
  runtime.reset();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace convoy::http
