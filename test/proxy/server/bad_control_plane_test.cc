// The whole proxy while its control plane talks nonsense: requests are served all the time, from
// the last good configuration, and the next good one is taken.

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "proxy/config/resources.h"
#include "proxy/server/server.h"
#include "test/common/ads_bootstrap.h"
#include "test/common/proxy_harness.h"
#include "test/common/simulated_clock.h"
#include "test/common/xds_server.h"
#include "test/proxy/xds/resources.h"

namespace convoy::server {
namespace {

using std::string_literals::operator""s;
using test::FakeUpstream;
using test::ProxyHarness;
using test::ThreadedXdsServer;
using test::XdsServer;

std::string bootstrapFor(const net::Address& control_plane) {
  return test::adsBootstrap(
      control_plane, {.grpc = "authority: control.test, max_receive_message_length: 100000"});
}

// Requests one after another, each on a connection of its own, until the end of the scope.
class SteadyRequests {
 public:
  explicit SteadyRequests(const ProxyHarness& proxy)
      : thread_([this, &proxy] {
          while (!stop_) {
            ++requests_;
            if (proxy.get("/web").status != 200) ++failed_;
          }
        }) {}
  ~SteadyRequests() { join(); }
  void join() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int requests() const { return requests_; }
  int failed() const { return failed_; }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<int> requests_{0};
  std::atomic<int> failed_{0};
  std::thread thread_;
};

class ServerWithBadControlPlaneTest : public testing::Test {
 protected:
  ServerWithBadControlPlaneTest() : proxy(bootstrapFor(configured().address()), time) {}

  ThreadedXdsServer& configured() {
    control_plane.run([&](XdsServer& xds) {
      xds.set("web", xds::edsCluster("web"));
      xds.set("web", xds::assignment("web", {blue.address().port()}));
      xds.set("public", listener());
    });
    return control_plane;
  }
  static xds::ListenerProto listener() {
    xds::ListenerProto made = xds::inlineListener("public", {"web"});
    made.mutable_address()->mutable_socket_address()->set_port_value(0);
    return made;
  }
  // After the back-off of the stream that was lost, which is short as yet, beside the time-outs of
  // the requests that run meanwhile.
  [[nodiscard]] bool losesStream(uint64_t losses) {
    const bool lost = proxy.becomes("control_plane.stream_failure", losses);
    time.advance(std::chrono::seconds(2));
    return lost && onStream(losses + 1);
  }
  [[nodiscard]] bool onStream(size_t number) {
    return control_plane.waitFor("the stream", [&](XdsServer& xds) {
      return xds.streams() == number && xds.settled() && xds.last().types.size() >= 2;
    });
  }

  FakeUpstream blue{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nblue"};
  FakeUpstream green{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ngreen"};
  ThreadedXdsServer control_plane;
  test::SimulatedClock time;
  ProxyHarness proxy;
};

TEST_F(ServerWithBadControlPlaneTest, RequestsAreServedWhateverItSends) {
  ASSERT_TRUE(onStream(1));
  control_plane.run([](XdsServer& xds) {
    const auto& peer = xds.transport().lastPeer();
    EXPECT_EQ(peer.onlyCall().headers.at(":authority"), "control.test");
  });
  SteadyRequests requests(proxy);

  XdsServer::Response broken;
  broken.set_type_url(config::kListenerType);
  broken.set_nonce("broken");
  auto* resource = broken.add_resources();
  resource->set_name("public");
  resource->mutable_resource()->set_type_url(config::kListenerType);
  resource->mutable_resource()->set_value("\xff\xff\xff");
  control_plane.run([&](XdsServer& xds) { xds.sendResponse(broken); });
  ASSERT_TRUE(control_plane.waitFor(
      "a NACK", [](XdsServer& xds) { return xds.type(config::kListenerType).nacks.size() == 1; }));

  // Each of these ends a stream.
  control_plane.run([](XdsServer& xds) { xds.sendMessage("\xff\xff\xff"); });
  ASSERT_TRUE(losesStream(1));
  control_plane.run([](XdsServer& xds) { xds.sendMessage(std::string(200'000, 'x')); });
  ASSERT_TRUE(losesStream(2));
  control_plane.run([](XdsServer& xds) {
    xds.transport().writeRaw(xds.last().connection, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
  });
  ASSERT_TRUE(losesStream(3));
  EXPECT_EQ(proxy.metric("control_plane.garbage"), 3u);
  EXPECT_EQ(proxy.metric("control_plane.response_too_large"), 1u);
  EXPECT_EQ(proxy.metric("control_plane.stream_failure"), 3u);
  EXPECT_EQ(proxy.metric("listener_manager.lds.update_rejected"), 1u);
  requests.join();
  EXPECT_GT(requests.requests(), 0);
  EXPECT_EQ(requests.failed(), 0);
  EXPECT_EQ(proxy.get("/web").body, "blue");

  control_plane.run([&](XdsServer& xds) {
    xds.set("web", xds::assignment("web", {green.address().port()}));
    xds.push();
  });
  ASSERT_TRUE(control_plane.waitFor("the ACK", [](XdsServer& xds) { return xds.settled(); }));
  EXPECT_EQ(proxy.get("/web").body, "green");
}

}  // namespace
}  // namespace convoy::server
