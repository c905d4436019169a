#include "proxy/net/splice_pipe.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cerrno>
#include <thread>
#include <vector>

#include "test/common/raw_socket.h"

namespace convoy::net {
namespace {

// Two TCP connections: what is written to `in.first` is read at `in.second`, and so on.
class SplicePipeTest : public testing::Test {
 protected:
  struct Ends {
    test::RawSocket first;
    test::RawSocket second;
  };
  static Ends connected() {
    const test::RawSocket listener = test::RawSocket::listening();
    Ends ends;
    ends.first = test::RawSocket::connectedTo(listener.localAddress());
    ends.second = listener.accept();
    return ends;
  }

  Ends in_ = connected();
  Ends out_ = connected();
};

TEST_F(SplicePipeTest, CarriesBytesAndTheEnd) {
  const SplicePipe::Ptr pipe = SplicePipe::take();
  ASSERT_NE(pipe, nullptr);
  EXPECT_TRUE(pipe->empty());
  in_.first.send("hello");
  EXPECT_EQ(pipe->fill(in_.second.fd(), 4), 4);
  EXPECT_EQ(pipe->size(), 4U);
  EXPECT_EQ(pipe->drain(out_.first.fd()), 4);
  EXPECT_TRUE(pipe->empty());
  EXPECT_EQ(pipe->fill(in_.second.fd(), 100), 1);
  EXPECT_EQ(pipe->drain(out_.first.fd()), 1);
  out_.first.shutdownSending();
  EXPECT_EQ(out_.second.receiveAll(), "hello");
  in_.first.shutdownSending();
  EXPECT_EQ(pipe->fill(in_.second.fd(), 100), 0);
}

TEST_F(SplicePipeTest, TellsTheSocketsErrors) {
  const SplicePipe::Ptr pipe = SplicePipe::take();
  ASSERT_NE(pipe, nullptr);
  EXPECT_EQ(pipe->fill(-1, 100), -EBADF);
  in_.first.reset();
  EXPECT_EQ(pipe->fill(in_.second.fd(), 100), -ECONNRESET);
  EXPECT_TRUE(pipe->empty());
}

TEST_F(SplicePipeTest, EmptyOnesAreTakenAgainAndFullOnesNot) {
  SplicePipe::Ptr pipe = SplicePipe::take();
  ASSERT_NE(pipe, nullptr);
  const SplicePipe* const first = pipe.get();
  pipe.reset();
  pipe = SplicePipe::take();
  EXPECT_EQ(pipe.get(), first);
  const size_t open = SplicePipe::openForTest();
  in_.first.send("left over");
  EXPECT_EQ(pipe->fill(in_.second.fd(), 100), 9);
  pipe.reset();
  EXPECT_EQ(SplicePipe::openForTest(), open - 1);
}

TEST_F(SplicePipeTest, ThereAreOnlySoMany) {
  std::vector<SplicePipe::Ptr> pipes;
  while (SplicePipe::Ptr pipe = SplicePipe::take()) pipes.push_back(std::move(pipe));
  EXPECT_GT(pipes.size(), 0U);
  EXPECT_LE(pipes.size(), SplicePipe::kMostPipes);
  EXPECT_EQ(SplicePipe::openForTest(), pipes.size());
  pipes.pop_back();
  EXPECT_NE(SplicePipe::take(), nullptr);
  pipes.clear();
  EXPECT_LE(SplicePipe::openForTest(), SplicePipe::kMostSpare);
}

// On a thread of its own, which has no spare ones.
TEST_F(SplicePipeTest, WithoutDescriptorsThereIsNone) {
  std::thread([] {
    rlimit before;
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = before;
    none.rlim_cur = 0;
    EXPECT_NE(SplicePipe::take(), nullptr);  // the thread's share is of what there was
    const SplicePipe::Ptr spare = SplicePipe::take();
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    EXPECT_EQ(SplicePipe::take(), nullptr);
    EXPECT_EQ(SplicePipe::take(), nullptr) << "not asked for";
    EXPECT_EQ(SplicePipe::take(), nullptr) << "the kernel's second refusal";
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    // Not asked for until two more takes have passed; then there is one.
    EXPECT_EQ(SplicePipe::take(), nullptr);
    EXPECT_EQ(SplicePipe::take(), nullptr);
    EXPECT_NE(SplicePipe::take(), nullptr);
  }).join();
}

TEST(SplicePipeLimitTest, IsOneOfTheProcessHoweverManyThreads) {
  EXPECT_EQ(SplicePipe::mostOf(1024, 1), 32U);
  EXPECT_EQ(SplicePipe::mostOf(1024, 32), 1U);
  EXPECT_EQ(SplicePipe::mostOf(1024, 33), 0U);
  EXPECT_EQ(SplicePipe::mostOf(UINT64_MAX, 4), SplicePipe::kMostPipes);
  for (const size_t threads : {1U, 3U, 32U, 1000U}) {
    for (const uint64_t descriptors : {0U, 100U, 1024U, 65536U}) {
      EXPECT_LE(2 * threads * SplicePipe::mostOf(descriptors, threads), descriptors / 16);
    }
  }
}

}  // namespace
}  // namespace convoy::net
