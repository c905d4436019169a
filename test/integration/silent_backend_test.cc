// A backend whose machine has lost power, or behind a firewall that has forgotten the connection:
// it says nothing, and nobody says that it is gone.

#include <gtest/gtest.h>

#include <string>

#include "test/common/proxy_harness.h"
#include "test/integration/http_peers.h"

namespace convoy::test {
namespace {

using namespace std::chrono_literals;

constexpr char kRoute[] = "{match: {prefix: /}, route: {cluster: web, timeout: 0s}}";
constexpr char kKeepalive[] =
    "    http2_protocol_options: {connection_keepalive: {interval: 30s, timeout: 10s, "
    "interval_jitter: {value: 0}}}\n";

const Message kGet = {
    {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h.test"}}};

TEST(SilentBackend, ItsStreamsEndAndTheNextRequestGetsAnotherConnection) {
  const RawSocket listening = RawSocket::listening();
  SimulatedClock time;
  ProxyHarness proxy(staticBootstrap(listening.localAddress(), kRoute) + kKeepalive, time);
  TestClient waiting(Speaks::Http2, proxy.address());
  waiting.send(kGet);
  H2Connection silent(listening.accept(), H2Connection::Role::Server);
  ASSERT_GT(silent.nextStream(), 0);
  ASSERT_TRUE(silent.exchange()) << "from here on it neither reads nor writes";

  time.advance(30s);  // it was heard of in this interval
  time.advance(30s);
  EXPECT_EQ(proxy.metric("cluster.web.http2.keepalive_timeout"), 0u);
  // Its kernel may acknowledge the last bytes before the PING now only, in its own time: slow,
  // then.
  for (int i = 0; i < 10 && proxy.metric("cluster.web.http2.keepalive_timeout") == 0; ++i) {
    time.advance(10s);
  }
  EXPECT_EQ(waiting.receive().field(":status"), "502");
  EXPECT_EQ(proxy.metric("cluster.web.http2.keepalive_timeout"), 1u);
  EXPECT_EQ(proxy.metric("cluster.web.upstream_cx_active"), 0u);

  TestClient next(Speaks::Http2, proxy.address());
  next.send(kGet);
  H2Connection alive(listening.accept(), H2Connection::Role::Server);
  const int32_t id = alive.nextStream();
  ASSERT_GT(id, 0);
  alive.respond(id, {{":status", "200"}}, "here");
  ASSERT_TRUE(alive.exchange());
  EXPECT_EQ(next.receive().body, "here");
}

}  // namespace
}  // namespace convoy::test
