#include "proxy/upstream/closing_connections.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "test/common/in_memory_connection.h"
#include "test/common/recording_handler.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::upstream {
namespace {

class ClosingConnectionsTest : public testing::Test {
 protected:
  ClosingConnectionsTest() { clock_.attach(loop_.loop()); }
  ~ClosingConnectionsTest() override {
    closing_.shutdown();
    far_.reset();
    loop_.runReady();
    clock_.detach(loop_.loop());
  }
  // A connection with bytes that its far end does not take yet.
  void addOne() {
    test::InMemoryConnection::Options options;
    options.pipe_bytes = 100;
    auto [near, far] = test::InMemoryConnection::pair(loop_.loop(), on_near_, on_far_, options);
    far_ = std::move(far);
    loop_.runReady();
    far_->pauseReading();
    near->write(std::string(5000, 'x'));
    near->close(net::CloseMode::FlushNoDrain);
    closing_.add(std::move(near));
    loop_.runReady();
  }

  test::SimulatedClock clock_;
  test::TestLoop loop_{clock_};
  test::RecordingHandler on_near_;
  test::RecordingHandler on_far_;
  ClosingConnections closing_;
  std::unique_ptr<net::Connection> far_;
};

TEST_F(ClosingConnectionsTest, SendsWhatIsLeftAndForgets) {
  addOne();
  EXPECT_EQ(closing_.size(), 1u);
  far_->resumeReading();
  ASSERT_TRUE(loop_.runUntil([&] { return on_far_.ended; }));
  EXPECT_EQ(on_far_.received.size(), 5000u);
  loop_.runReady();
  EXPECT_EQ(closing_.size(), 0u);
  EXPECT_FALSE(on_near_.closed.has_value()) << "its former owner hears nothing";
}

TEST_F(ClosingConnectionsTest, GivesUpOnAPeerThatTakesNothing) {
  addOne();
  clock_.advance(net::Connection::kFlushStallTime);
  loop_.runReady();
  EXPECT_EQ(closing_.size(), 0u);
  far_->resumeReading();
  ASSERT_TRUE(loop_.runUntil([&] { return on_far_.closed.has_value(); }));
}

TEST_F(ClosingConnectionsTest, ShutdownClosesAtOnceAndTakesNoMore) {
  addOne();
  closing_.shutdown();
  EXPECT_EQ(closing_.size(), 0u);
  addOne();
  EXPECT_EQ(closing_.size(), 0u);
}

}  // namespace
}  // namespace convoy::upstream
