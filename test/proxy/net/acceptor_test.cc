#include "proxy/net/acceptor.h"

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <vector>

#include "test/common/raw_socket.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::net {
namespace {

class AcceptorTest : public testing::Test {
 protected:
  AcceptorTest() { clock_.attach(loop()); }

  event::Loop& loop() { return test_loop_.loop(); }
  void listen(std::string_view address = "127.0.0.1:0") {
    AdoptedSockets none;
    auto sockets = openListenSockets(*Address::parse(address), 1, {}, none);
    ASSERT_TRUE(sockets.ok()) << sockets.status();
    socket_ = std::make_unique<ListenSocket>(std::move((*sockets)[0][0]));
    acceptor_ = std::make_unique<Acceptor>(
        loop(), *socket_, metrics_, [this](int fd, const Address& remote, const Address& local) {
          accepted_.emplace_back(fd);
          remote_ = remote;
          local_ = local;
          if (when_accepted_) when_accepted_();
        });
  }
  test::RawSocket connect() { return test::RawSocket::connectedTo(socket_->address()); }
  [[nodiscard]] bool waitAccepted(size_t count) {
    return test_loop_.runUntil([&] { return accepted_.size() >= count; });
  }

  // Opens no descriptor while it lives.
  class NoDescriptors {
   public:
    NoDescriptors() {
      EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
      // The next descriptor would be the lowest free one: forbids it and all behind.
      const int lowest_free = ::dup(0);
      ::close(lowest_free);
      rlimit exhausted = before_;
      exhausted.rlim_cur = static_cast<rlim_t>(lowest_free);
      EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &exhausted), 0);
    }
    ~NoDescriptors() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }
    NoDescriptors(const NoDescriptors&) = delete;
    NoDescriptors& operator=(const NoDescriptors&) = delete;

   private:
    rlimit before_{};
  };

  test::SimulatedClock clock_;
  test::TestLoop test_loop_{clock_};
  AcceptMetrics metrics_;
  std::unique_ptr<ListenSocket> socket_;
  std::unique_ptr<Acceptor> acceptor_;
  std::vector<test::RawSocket> accepted_;
  std::function<void()> when_accepted_;
  Address remote_;
  Address local_;
};

TEST_F(AcceptorTest, HandsOverTheConnectionAndBothAddresses) {
  listen();
  const test::RawSocket client = connect();
  ASSERT_TRUE(waitAccepted(1));
  EXPECT_EQ(remote_, client.localAddress());
  EXPECT_EQ(local_, socket_->address());
  EXPECT_EQ(metrics_.accepted.value(), 1u);
  int no_delay = 0;
  socklen_t length = sizeof(no_delay);
  ::getsockopt(accepted_[0].fd(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &length);
  EXPECT_NE(no_delay, 0);  // inherited from the listening socket
}

TEST_F(AcceptorTest, AsksForTheLocalAddressBehindAWildcard) {
  listen("0.0.0.0:0");
  const Address reached = *Address::fromIp("127.0.0.5", socket_->address().port());
  const test::RawSocket client = test::RawSocket::connectedTo(reached);
  ASSERT_TRUE(waitAccepted(1));
  EXPECT_EQ(local_, reached);
}

TEST_F(AcceptorTest, AcceptsOnUnixSockets) {
  listen(test::uniqueUnixAddress().text());
  const test::RawSocket client = connect();
  ASSERT_TRUE(waitAccepted(1));
  EXPECT_EQ(remote_.family(), Address::Family::Unix);
  EXPECT_EQ(local_, socket_->address());
}

TEST_F(AcceptorTest, TakesABurstInBoundedTurns) {
  listen();
  std::vector<test::RawSocket> clients;
  clients.reserve(Acceptor::kPerTurn + 10);
  for (int i = 0; i < Acceptor::kPerTurn + 10; ++i) clients.push_back(connect());
  loop().runOnce(/*wait=*/true);
  EXPECT_EQ(accepted_.size(), static_cast<size_t>(Acceptor::kPerTurn));
  ASSERT_TRUE(waitAccepted(clients.size()));
}

TEST_F(AcceptorTest, TheQueueCanBeTakenBeforeTheEnd) {
  listen();
  std::vector<test::RawSocket> clients;
  for (int i = 0; i < Acceptor::kPerTurn + 10; ++i) clients.push_back(connect());
  acceptor_->takeQueued();
  EXPECT_EQ(accepted_.size(), clients.size());
  acceptor_->takeQueued();  // nothing is left
  EXPECT_EQ(accepted_.size(), clients.size());
  acceptor_->pause();
  const test::RawSocket later = connect();
  acceptor_->takeQueued();  // a pause ends with the socket, and would reset whoever waits
  EXPECT_EQ(accepted_.size(), clients.size() + 1);
}

TEST_F(AcceptorTest, PausesAreCountedAndLeaveConnectionsQueued) {
  listen();
  acceptor_->pause();
  acceptor_->pause();
  const test::RawSocket client = connect();
  test_loop_.runReady();
  acceptor_->resume();
  EXPECT_FALSE(acceptor_->accepting());
  test_loop_.runReady();
  EXPECT_TRUE(accepted_.empty());
  acceptor_->resume();
  EXPECT_TRUE(acceptor_->accepting());
  ASSERT_TRUE(waitAccepted(1));
}

TEST_F(AcceptorTest, PauseInsideTheCallbackStopsTheBurst) {
  listen();
  const test::RawSocket first = connect();
  const test::RawSocket second = connect();
  when_accepted_ = [&] { acceptor_->pause(); };
  ASSERT_TRUE(waitAccepted(1));
  test_loop_.runReady();
  EXPECT_EQ(accepted_.size(), 1u);
  acceptor_->resume();
  ASSERT_TRUE(waitAccepted(2));
}

TEST_F(AcceptorTest, MayBeDestroyedInsideTheCallback) {
  listen();
  const test::RawSocket first = connect();
  const test::RawSocket second = connect();
  when_accepted_ = [&] { acceptor_.reset(); };
  ASSERT_TRUE(waitAccepted(1));
  test_loop_.runReady();
  EXPECT_EQ(accepted_.size(), 1u);
  // Whoever takes the socket over finds the other one.
  when_accepted_ = nullptr;
  acceptor_ = std::make_unique<Acceptor>(
      loop(), *socket_, metrics_,
      [this](int fd, const Address&, const Address&) { accepted_.emplace_back(fd); });
  ASSERT_TRUE(waitAccepted(2));
}

TEST_F(AcceptorTest, ConnectionsOverALimitAreClosedAndCounted) {
  listen();
  int admitted = 0;
  acceptor_->setAdmit([&] { return ++admitted <= 1; });
  const test::RawSocket first = connect();
  const test::RawSocket second = connect();
  ASSERT_TRUE(test_loop_.runUntil([&] { return metrics_.accepted.value() == 2; }));
  EXPECT_EQ(accepted_.size(), 1u);
  EXPECT_EQ(metrics_.refused.value(), 1u);
  EXPECT_EQ(second.receive(), "");
}

TEST_F(AcceptorTest, OutOfDescriptorsPausesAndRecovers) {
  listen();
  std::vector<int> told;
  acceptor_->setOnExhausted([&](int error) { told.push_back(error); });
  const test::RawSocket client = connect();
  {
    const NoDescriptors none;
    EXPECT_TRUE(test_loop_.runUntil([&] { return metrics_.exhausted.value() == 1; }));
    EXPECT_FALSE(acceptor_->accepting());
    test_loop_.runReady();
    EXPECT_EQ(metrics_.errors.value(), 1u);  // no spinning meanwhile
    clock_.advance(Acceptor::kExhaustedPause);
    EXPECT_TRUE(test_loop_.runUntil([&] { return metrics_.exhausted.value() == 2; }));
  }
  EXPECT_TRUE(accepted_.empty());
  EXPECT_EQ(told, (std::vector<int>{EMFILE, EMFILE}));
  clock_.advance(Acceptor::kExhaustedPause);
  ASSERT_TRUE(waitAccepted(1));
  EXPECT_EQ(metrics_.accepted.value(), 1u);
}

TEST_F(AcceptorTest, PausesForAsLongAsItsOwnerHasNoRoom) {
  listen();
  size_t most = 2;
  std::vector<int> told;
  acceptor_->setOnExhausted([&](int error) { told.push_back(error); });
  acceptor_->setHasRoom([&] { return accepted_.size() < most; });
  std::vector<test::RawSocket> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(connect());
  ASSERT_TRUE(waitAccepted(2));
  test_loop_.runReady();
  EXPECT_FALSE(acceptor_->accepting());
  for (int i = 0; i < 3; ++i) {
    clock_.advance(Acceptor::kExhaustedPause);
    test_loop_.runReady();
  }
  EXPECT_EQ(accepted_.size(), 2u);
  EXPECT_EQ(metrics_.exhausted.value(), 1u) << "one pause, however long";
  EXPECT_EQ(metrics_.errors.value(), 0u);
  EXPECT_EQ(told, std::vector<int>{EMFILE});
  most = 100;
  clock_.advance(Acceptor::kExhaustedPause);
  ASSERT_TRUE(waitAccepted(4)) << "those who waited";
  EXPECT_TRUE(acceptor_->accepting());
}

// The last place is taken, and nobody is turned away by that.
TEST_F(AcceptorTest, NobodyWhoWaitsIsNoPause) {
  listen();
  size_t most = 2;
  acceptor_->setHasRoom([&] { return accepted_.size() < most; });
  const test::RawSocket first = connect();
  const test::RawSocket second = connect();
  ASSERT_TRUE(waitAccepted(2));
  test_loop_.runReady();
  EXPECT_EQ(metrics_.exhausted.value(), 0u);
  EXPECT_TRUE(acceptor_->accepting());
  const test::RawSocket third = connect();
  ASSERT_TRUE(test_loop_.runUntil([&] { return metrics_.exhausted.value() == 1; }));
  EXPECT_FALSE(acceptor_->accepting());
  most = 3;
  clock_.advance(Acceptor::kExhaustedPause);
  ASSERT_TRUE(waitAccepted(3));
}

TEST_F(AcceptorTest, TheLastDescriptorIsNoPauseEither) {
  listen();
  std::optional<NoDescriptors> none;
  when_accepted_ = [&] { none.emplace(); };
  const test::RawSocket client = connect();
  ASSERT_TRUE(waitAccepted(1));
  test_loop_.runReady();
  EXPECT_EQ(metrics_.exhausted.value(), 0u);
  EXPECT_EQ(metrics_.errors.value(), 0u);
  EXPECT_TRUE(acceptor_->accepting());
}

TEST_F(AcceptorTest, WhatFindsNoDescriptorInAPauseEndsWithIt) {
  listen();
  const test::RawSocket client = connect();
  {
    const NoDescriptors none;
    ASSERT_TRUE(test_loop_.runUntil([&] { return metrics_.exhausted.value() == 1; }));
    acceptor_->takeQueued();
    EXPECT_EQ(metrics_.exhausted.value(), 2u);
  }
  clock_.advance(Acceptor::kExhaustedPause);
  ASSERT_TRUE(waitAccepted(1));
  EXPECT_TRUE(acceptor_->accepting());
}

TEST_F(AcceptorTest, TheLastOnesAreTakenWithoutRoomToo) {
  listen();
  acceptor_->setHasRoom([] { return false; });
  std::vector<test::RawSocket> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(connect());
  ASSERT_TRUE(test_loop_.runUntil([&] { return !acceptor_->accepting(); }));
  EXPECT_TRUE(accepted_.empty());
  acceptor_->takeQueued();
  EXPECT_EQ(accepted_.size(), 3u);
}

// The listening socket stopped listening under our feet: counted, not fatal.
TEST_F(AcceptorTest, OtherErrorsAreCounted) {
  listen();
  ::shutdown(socket_->fd(), SHUT_RD);
  ASSERT_TRUE(test_loop_.runUntil([&] { return metrics_.errors.value() > 0; }));
  EXPECT_EQ(metrics_.exhausted.value(), 0u);
  EXPECT_TRUE(accepted_.empty());
}

}  // namespace
}  // namespace convoy::net
