#include "proxy/upstream/socket_io.h"

#include "test/common/raw_socket.h"
#include "test/proxy/upstream/fixture.h"

namespace convoy::upstream {
namespace {

using http::Failure;
using test::RawSocket;
using test::TestRequest;

// The same pools over the kernel's sockets.
class SocketIoTest : public testing::Test {
 protected:
  SocketIoTest() : loop_(clock_) {
    clock_.attach(loop_.loop());
    manager_ = std::make_unique<ClusterManager>(
        loop_.loop(), std::vector<event::Loop*>{&loop_.loop()}, registry_, io_);
  }
  ~SocketIoTest() override {
    manager_.reset();
    loop_.runReady();
    clock_.detach(loop_.loop());
  }

  WorkerCluster& clusterAt(const net::Address& address) {
    auto spec = std::make_shared<ClusterSpec>();
    spec->name = "web";
    auto assignment = std::make_shared<AssignmentSpec>();
    assignment->localities.emplace_back().endpoints.emplace_back().address = address;
    spec->assignment = assignment;
    manager_->apply({.clusters = {spec}});
    loop_.runReady();
    return *manager_->worker(0).find("web");
  }
  static std::string receiveHead(const RawSocket& socket) {
    std::string head;
    while (head.find("\r\n\r\n") == std::string::npos) {
      const std::string more = socket.receive();
      if (more.empty()) break;
      head += more;
    }
    return head;
  }

  test::SimulatedClock clock_;
  observe::MetricRegistry registry_;
  SocketIo io_;
  test::TestLoop loop_;
  std::unique_ptr<ClusterManager> manager_;
};

TEST_F(SocketIoTest, ServesRequestsOverOneConnection) {
  for (const bool unix_socket : {false, true}) {
    const RawSocket listener =
        unix_socket ? RawSocket::listeningOn(test::uniqueUnixAddress()) : RawSocket::listening();
    WorkerCluster& cluster = clusterAt(listener.localAddress());
    RawSocket server;
    for (int i = 0; i < 3; ++i) {
      TestRequest request;
      request.start(cluster);
      EXPECT_TRUE(loop_.runUntil([&] { return request.sender != nullptr; }));
      EXPECT_EQ(request.streams_before, static_cast<uint64_t>(i));
      loop_.runReady();
      if (i == 0) server = listener.accept();
      EXPECT_EQ(receiveHead(server).substr(0, 16), "GET / HTTP/1.1\r\n");
      server.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes");
      EXPECT_TRUE(loop_.runUntil([&] { return request.ends == 1; }));
      EXPECT_EQ(request.body, "yes");
      if (!unix_socket) {
        EXPECT_EQ(request.host.address(), listener.localAddress());
      }
    }
    EXPECT_EQ(cluster.metrics().upstream_cx_active.value(), 1);
    server.close();
    EXPECT_TRUE(loop_.runUntil([&] { return cluster.metrics().upstream_cx_active.value() == 0; }));
    manager_->apply({.removed = {"web"}});
    loop_.runReady();
  }
}

TEST_F(SocketIoTest, KnowsItsOwnAddress) {
  const RawSocket listener = RawSocket::listening();
  WorkerCluster& cluster = clusterAt(listener.localAddress());
  TestRequest request;
  request.start(cluster);
  EXPECT_TRUE(loop_.runUntil([&] { return request.sender != nullptr; }));
  const RawSocket server = listener.accept();
  EXPECT_EQ(request.info->localAddress(), server.remoteAddress());
}

TEST_F(SocketIoTest, NobodyListens) {
  net::Address free;
  {
    const RawSocket listener = RawSocket::listening();
    free = listener.localAddress();
  }
  WorkerCluster& cluster = clusterAt(free);
  TestRequest request;
  request.start(cluster);
  EXPECT_TRUE(request.waiting());
  EXPECT_TRUE(loop_.runUntil([&] { return request.failed.has_value(); }));
  EXPECT_EQ(request.failed, Failure::UpstreamConnectFailure);
}

TEST_F(SocketIoTest, NobodyAnswers) {
  // A listener whose queue is full drops what else tries to connect.
  const RawSocket listener = RawSocket::listening(/*backlog=*/0);
  const RawSocket filler = RawSocket::connectedTo(listener.localAddress());
  WorkerCluster& cluster = clusterAt(listener.localAddress());
  TestRequest request;
  request.start(cluster);
  loop_.runReady();
  EXPECT_TRUE(request.waiting());
  clock_.advance(std::chrono::milliseconds(5010));
  EXPECT_EQ(request.failed, Failure::UpstreamConnectTimeout);
  loop_.runReady();
}

TEST_F(SocketIoTest, AServerThatResetsUnderARequest) {
  const RawSocket listener = RawSocket::listening();
  WorkerCluster& cluster = clusterAt(listener.localAddress());
  TestRequest request;
  request.start(cluster);
  EXPECT_TRUE(loop_.runUntil([&] { return request.sender != nullptr; }));
  loop_.runReady();
  RawSocket server = listener.accept();
  receiveHead(server);
  server.reset();
  EXPECT_TRUE(loop_.runUntil([&] { return request.reset.has_value(); }));
  EXPECT_EQ(request.reset, Failure::UpstreamReset);
  EXPECT_FALSE(request.bytes_received);
}

}  // namespace
}  // namespace convoy::upstream
