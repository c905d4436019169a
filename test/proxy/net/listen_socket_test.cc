#include "proxy/net/listen_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>

#include "test/common/raw_socket.h"

namespace convoy::net {
namespace {

Address address(std::string_view text) {
  return *Address::parse(text);
}

class ListenSocketTest : public testing::Test {
 protected:
  ListenSocketTest() {
    std::string pattern = "/tmp/listen_XXXXXX";  // a socket's path must be short
    directory_ = ::mkdtemp(pattern.data());
    clearEnvironment();
  }
  ~ListenSocketTest() override {
    clearEnvironment();
    std::filesystem::remove_all(directory_);
  }

  static void clearEnvironment() {
    for (const char* const variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
      ::unsetenv(variable);
    }
  }
  absl::StatusOr<WorkerSockets> open(const Address& at, size_t workers = 1,
                                     const ListenOptions& options = {}) {
    return openListenSockets(at, workers, options, adopted_);
  }
  Address unixPath(const std::string& name) const {
    return *Address::fromUnixPath(directory_ + "/" + name);
  }
  std::string directory_;
  AdoptedSockets adopted_;
};

TEST_F(ListenSocketTest, EveryWorkerHasItsOwnSocketOnOnePort) {
  absl::StatusOr<WorkerSockets> sockets = open(address("127.0.0.1:0"), 3);
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  ASSERT_EQ(sockets->size(), 3u);
  std::set<int> descriptors;
  for (const auto& worker : *sockets) {
    ASSERT_EQ(worker.size(), 1u);
    EXPECT_EQ(worker[0].address(), (*sockets)[0][0].address());
    EXPECT_NE(worker[0].address().port(), 0);
    EXPECT_FALSE(worker[0].wildcard());
    descriptors.insert(worker[0].fd());
  }
  EXPECT_EQ(descriptors.size(), 3u);
  const test::RawSocket client = test::RawSocket::connectedTo((*sockets)[0][0].address());
  EXPECT_GE(client.fd(), 0);
}

// However a second process comes to it, also one that has looked just before we listened.
TEST_F(ListenSocketTest, AnOnlySocketSharesItsPortWithNobody) {
  absl::StatusOr<WorkerSockets> sockets = open(address("127.0.0.1:0"));
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  const Address& at = (*sockets)[0][0].address();
  const test::RawSocket other(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  for (const int option : {SO_REUSEADDR, SO_REUSEPORT}) {
    ASSERT_EQ(::setsockopt(other.fd(), SOL_SOCKET, option, &on, sizeof(on)), 0);
  }
  sockaddr_storage storage;
  const socklen_t length = at.toSockaddr(&storage);
  EXPECT_EQ(::bind(other.fd(), reinterpret_cast<sockaddr*>(&storage), length), -1);
  EXPECT_EQ(errno, EADDRINUSE);
}

TEST_F(ListenSocketTest, ListensOnIpv6AndForIpv4WhenAsked) {
  for (const bool compat : {false, true}) {
    absl::StatusOr<WorkerSockets> sockets = open(address("[::]:0"), 1, {.ipv4_compat = compat});
    ASSERT_TRUE(sockets.ok()) << sockets.status();
    const ListenSocket& socket = (*sockets)[0][0];
    EXPECT_TRUE(socket.wildcard());
    sockaddr_storage storage;
    const socklen_t length =
        Address::fromIp("127.0.0.1", socket.address().port())->toSockaddr(&storage);
    const test::RawSocket client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(client.fd(), reinterpret_cast<sockaddr*>(&storage), length),
              compat ? 0 : -1);
  }
}

TEST_F(ListenSocketTest, ErrorsNameAddressReasonAndWayOut) {
  const test::RawSocket taken = test::RawSocket::listening();
  absl::StatusOr<WorkerSockets> ours = open(address("127.0.0.1:0"));
  std::ofstream(directory_ + "/file") << "not a socket";
  const struct {
    Address at;
    std::string expected;
  } cases[] = {
      {taken.localAddress(), "address already in use; another process listens there"},
      {(*ours)[0][0].address(), "address already in use; another process listens there"},
      {address("192.0.2.1:0"), "this machine has no such address"},
      {unixPath("file"), "the path exists and is no socket"},
      {unixPath("missing/socket"), "no such file or directory; create the socket's directory"},
      {Address(), "there is no address"},
  };
  for (const auto& c : cases) {
    const absl::Status status = open(c.at).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    const std::string expected = "cannot listen on " + c.at.text() + ": ";
    EXPECT_EQ(status.message().substr(0, expected.size()), expected);
    EXPECT_NE(status.message().find(c.expected), std::string::npos) << status;
  }
}

TEST_F(ListenSocketTest, UnixWorkersShareOneQueue) {
  const Address at = unixPath("socket");
  absl::StatusOr<WorkerSockets> sockets = open(at, 2, {.unix_mode = 0620});
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  EXPECT_NE((*sockets)[0][0].fd(), (*sockets)[1][0].fd());
  EXPECT_EQ((*sockets)[1][0].address(), at);
  struct stat status {};
  ASSERT_EQ(::stat(std::string(at.unixPath()).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0620u);
  const test::RawSocket client = test::RawSocket::connectedTo(at);
  // Either handle takes it.
  EXPECT_GE(test::RawSocket(::accept(((*sockets)[1][0].fd()), nullptr, nullptr)).fd(), 0);
}

TEST_F(ListenSocketTest, StaleUnixPathIsReplacedALiveOneIsNot) {
  const Address at = unixPath("socket");
  { const test::RawSocket died = test::RawSocket::listeningOn(at); }
  {
    absl::StatusOr<WorkerSockets> sockets = open(at);
    ASSERT_TRUE(sockets.ok()) << sockets.status();
    EXPECT_NE(open(at).status().message().find("another process listens there"),
              std::string_view::npos);
    const test::RawSocket client = test::RawSocket::connectedTo(at);  // still the first one's
  }
  const Address abstract = test::uniqueUnixAddress();
  absl::StatusOr<WorkerSockets> sockets = open(abstract);
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  EXPECT_FALSE(open(abstract).ok());
}

TEST_F(ListenSocketTest, TheFileOfAUnixSocketGoesWithTheLastOfItsSockets) {
  const Address at = unixPath("socket");
  const std::string path(at.unixPath());
  {
    absl::StatusOr<WorkerSockets> sockets = open(at, 3);
    ASSERT_TRUE(sockets.ok()) << sockets.status();
    const ListenSocket last = std::move((*sockets)[1][0]);
    sockets->clear();
    EXPECT_TRUE(std::filesystem::exists(path));
    const test::RawSocket client = test::RawSocket::connectedTo(at);
  }
  EXPECT_FALSE(std::filesystem::exists(path));

  // Somebody else's in its place stays.
  absl::StatusOr<WorkerSockets> sockets = open(at);
  ASSERT_TRUE(sockets.ok()) << sockets.status();
  std::filesystem::remove(path);
  const test::RawSocket successor = test::RawSocket::listeningOn(at);
  sockets->clear();
  EXPECT_TRUE(std::filesystem::exists(path));
  // And one that was passed belongs to whoever passed it.
  const int first = test::passDescriptors({successor.fd()}, "passed");
  absl::StatusOr<AdoptedSockets> adopted = AdoptedSockets::fromEnvironment(first);
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  {
    const auto passed = openListenSockets(at, 2, {}, *adopted);
    ASSERT_TRUE(passed.ok()) << passed.status();
  }
  EXPECT_TRUE(std::filesystem::exists(path));
}

TEST_F(ListenSocketTest, PassedSocketsAreAdoptedByTheirAddress) {
  const test::RawSocket web = test::RawSocket::listening();
  const test::RawSocket web_too(::dup(web.fd()));
  const test::RawSocket local = test::RawSocket::listeningOn(unixPath("passed"));
  const test::RawSocket spare = test::RawSocket::listening();
  const int first = test::passDescriptors({web.fd(), web_too.fd(), local.fd(), spare.fd()},
                                          "web:web:local:spare");
  absl::StatusOr<AdoptedSockets> adopted = AdoptedSockets::fromEnvironment(first);
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  EXPECT_EQ(std::getenv("LISTEN_FDS"), nullptr);

  // Fewer than workers: shared. More: somebody gets two.
  const auto spread_local = openListenSockets(local.localAddress(), 3, {}, *adopted);
  ASSERT_TRUE(spread_local.ok()) << spread_local.status();
  for (const auto& worker : *spread_local) EXPECT_EQ(worker.size(), 1u);
  const auto spread_web = openListenSockets(web.localAddress(), 1, {}, *adopted);
  ASSERT_TRUE(spread_web.ok()) << spread_web.status();
  ASSERT_EQ((*spread_web)[0].size(), 2u);
  EXPECT_EQ((*spread_web)[0][0].fd(), first);
  EXPECT_EQ(::fcntl(first, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);

  EXPECT_EQ(adopted->unclaimed(),
            std::vector<std::string>{"spare (" + spare.localAddress().text() + ")"});
}

TEST_F(ListenSocketTest, VariablesForAnotherProcessAreLeftAlone) {
  ::setenv("LISTEN_FDS", "1", 1);
  for (const char* const pid : {"1", "x", ""}) {
    ::setenv("LISTEN_PID", pid, 1);
    const absl::StatusOr<AdoptedSockets> adopted = AdoptedSockets::fromEnvironment();
    ASSERT_TRUE(adopted.ok());
    EXPECT_TRUE(adopted->unclaimed().empty());
    EXPECT_NE(std::getenv("LISTEN_FDS"), nullptr);
  }
}

TEST_F(ListenSocketTest, BadVariablesAreRefused) {
  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
  ::setenv("LISTEN_FDS", "some", 1);
  EXPECT_NE(AdoptedSockets::fromEnvironment().status().message().find("\"some\""),
            std::string_view::npos);
  const test::RawSocket listener = test::RawSocket::listening();
  const test::RawSocket no_listener = test::RawSocket::connectedTo(listener.localAddress());
  const int first = test::passDescriptors({no_listener.fd()}, "client");
  EXPECT_NE(AdoptedSockets::fromEnvironment(first).status().message().find(
                "(\"client\"), which is no listening stream socket"),
            std::string_view::npos);
  ::close(first);
}

// A connect over the loopback is complete, or refused, when connect() returns: nothing to wait for.
class Connecting {
 public:
  explicit Connecting(const Address& to)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_storage storage;
    const socklen_t length = to.toSockaddr(&storage);
    ::connect(fd_, reinterpret_cast<const sockaddr*>(&storage), length);
  }
  ~Connecting() { ::close(fd_); }
  bool answered() const {
    pollfd wait{.fd = fd_, .events = POLLOUT, .revents = 0};
    return ::poll(&wait, 1, 0) == 1;
  }

 private:
  const int fd_;
};

TEST_F(ListenSocketTest, NewHandshakesAreDroppedAndBegunOnesAreQueued) {
  auto sockets = open(address("127.0.0.1:0"));
  ASSERT_TRUE(sockets.ok());
  const ListenSocket& socket = (*sockets)[0][0];
  const Connecting before(socket.address());
  EXPECT_TRUE(before.answered());
  ASSERT_TRUE(socket.dropNewHandshakes()) << "run it with CAP_NET_ADMIN";
  const Connecting after(socket.address());
  EXPECT_FALSE(after.answered());
  const int accepted = ::accept4(socket.fd(), nullptr, nullptr, SOCK_NONBLOCK);
  EXPECT_GE(accepted, 0);
  EXPECT_EQ(::accept4(socket.fd(), nullptr, nullptr, SOCK_NONBLOCK), -1);
  ::close(accepted);
}

TEST_F(ListenSocketTest, SocketsThatOthersHaveTooGoOnTakingConnections) {
  auto original = open(address("127.0.0.1:0"));
  ASSERT_TRUE(original.ok());
  const Address at = (*original)[0][0].address();
  auto adopted =
      AdoptedSockets::fromEnvironment(test::passDescriptors({(*original)[0][0].fd()}, "web"));
  ASSERT_TRUE(adopted.ok()) << adopted.status();
  const std::vector<ListenSocket> taken = adopted->take(at);
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_FALSE(taken[0].dropNewHandshakes());
  EXPECT_TRUE(Connecting(at).answered());
}

TEST_F(ListenSocketTest, OwnsItsDescriptor) {
  absl::StatusOr<WorkerSockets> sockets = open(address("127.0.0.1:0"), 2);
  ListenSocket first = std::move((*sockets)[0][0]);
  const int fd = first.fd();
  absl::StatusOr<ListenSocket> copy = first.duplicate();
  ASSERT_TRUE(copy.ok());
  EXPECT_NE(copy->fd(), fd);
  first = std::move((*sockets)[1][0]);
  EXPECT_EQ(::fcntl(fd, F_GETFD), -1);  // the one that it replaced is closed
  EXPECT_EQ(copy->address(), first.address());
}

}  // namespace
}  // namespace convoy::net
