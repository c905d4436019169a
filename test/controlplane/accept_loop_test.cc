#include "controlplane/accept_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "test/common/simulated_clock.h"

namespace convoy::controlplane {
namespace {

// Closes them when it goes.
class Descriptors {
 public:
  ~Descriptors() { clear(); }
  void add(int fd) { fds_.push_back(fd); }
  void clear() {
    for (const int fd : fds_) ::close(fd);
    fds_.clear();
  }

 private:
  std::vector<int> fds_;
};

class AcceptLoopTest : public testing::Test {
 protected:
  AcceptLoopTest() {
    net::AdoptedSockets none;
    auto sockets = net::openListenSockets(*net::Address::parse("127.0.0.1:0"), 1, {}, none);
    EXPECT_TRUE(sockets.ok()) << sockets.status();
    socket_ = std::make_unique<net::ListenSocket>(std::move(sockets->front().front()));
    address_ = socket_->address();
  }

  void start(int most_descriptors) {
    loop_ = std::make_unique<AcceptLoop>(
        std::move(*socket_), AcceptOptions{"--listen", most_descriptors}, &clock_, [this](int fd) {
          const std::lock_guard<std::mutex> lock(mutex_);
          ::close(fd);
          ++taken_;
          changed_.notify_all();
        });
  }

  // A client's socket, not connected yet.
  static int client() { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }
  bool connect(int fd) const {
    sockaddr_storage to;
    const socklen_t size = address_.toSockaddr(&to);
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&to), size) == 0;
  }
  bool waitForTaken(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return taken_ >= count; });
  }

  test::SimulatedClock clock_;
  std::unique_ptr<net::ListenSocket> socket_;
  net::Address address_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int taken_ = 0;
  Descriptors held_;
  std::unique_ptr<AcceptLoop> loop_;
};

TEST_F(AcceptLoopTest, HandsOverEachConnection) {
  start(1000);
  for (int i = 1; i <= 3; ++i) {
    const int fd = client();
    held_.add(fd);
    ASSERT_TRUE(connect(fd));
    EXPECT_TRUE(waitForTaken(i));
  }
  EXPECT_EQ(loop_->refused(), 0);
}

TEST_F(AcceptLoopTest, ClosesAConnectionTooMany) {
  const int first = client();
  held_.add(first);
  start(first);  // whatever is accepted has a higher number
  ASSERT_TRUE(connect(first));
  char byte = 0;
  EXPECT_LE(::recv(first, &byte, 1, 0), 0) << "closed";
  EXPECT_EQ(loop_->refused(), 1);
  EXPECT_EQ(taken_, 0);
}

TEST_F(AcceptLoopTest, GoesOnWhenThereAreDescriptorsAgain) {
  start(1000);
  const int waiting = client();
  held_.add(waiting);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  rlimit low = limit;
  low.rlim_cur = 64;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  Descriptors all;
  for (int fd = ::open("/dev/null", O_RDONLY); fd >= 0; fd = ::open("/dev/null", O_RDONLY)) {
    all.add(fd);
  }
  ASSERT_TRUE(connect(waiting)) << "the kernel's queue takes it";
  while (loop_->pauses() < 2) std::this_thread::yield();
  EXPECT_EQ(taken_, 0);
  all.clear();
  EXPECT_TRUE(waitForTaken(1));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST(DescriptorSharesTest, KeepSomeForTheProcessAndForThePeople) {
  struct Case {
    int limit;
    int most_connections;
    int management;
    int xds;
  };
  const Case cases[] = {
      {1'048'576, 10'000, 10'064, 10'032},
      {1024, 10'000, 960, 928},
      {256, 10'000, 192, 160},
      {64, 10'000, 48, 40},
      {1024, 10, 74, 64},
  };
  for (const Case& c : cases) {
    const DescriptorShares shares = shareDescriptors(c.limit, c.most_connections);
    EXPECT_EQ(shares.management, c.management) << c.limit;
    EXPECT_EQ(shares.xds, c.xds) << c.limit;
  }
}

TEST(EnoughDescriptorsTest, TooFewAreRefusedWithAWayOut) {
  EXPECT_TRUE(enoughDescriptors(64, 3).ok());
  EXPECT_TRUE(enoughDescriptors(1'048'576, 100).ok());
  for (const int limit : {0, 8, 14, 26}) {
    const std::string text(enoughDescriptors(limit, 3).message());
    EXPECT_NE(text.find("may open " + std::to_string(limit) + " descriptors"), std::string::npos)
        << text;
    EXPECT_NE(text.find("needs at least 27: raise the limit (ulimit -Hn)"), std::string::npos)
        << text;
  }
  EXPECT_FALSE(enoughDescriptors(64, 60).ok()) << "others have them";
}

}  // namespace
}  // namespace convoy::controlplane
