#include "proxy/server/admin_pages.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/socket.h>

#include "envoy/admin/v3/server_info.pb.h"
#include "google/protobuf/struct.pb.h"
#include "proxy/base/log.h"
#include "proxy/base/version.h"
#include "test/proxy/server/pages.h"

namespace convoy::server {
namespace {

using admin::Response;
using test::FakeUpstream;
using test::ProxyHarness;
using test::RawSocket;

bool connects(const net::Address& address) {
  sockaddr_storage to;
  const socklen_t length = address.toSockaddr(&to);
  const RawSocket socket(::socket(AF_INET, SOCK_STREAM, 0));
  return ::connect(socket.fd(), reinterpret_cast<sockaddr*>(&to), length) == 0;
}

class AdminPagesTest : public testing::Test {
 protected:
  FakeUpstream web_;
  ProxyHarness proxy_{test::staticBootstrap(web_.address())};
};

TEST_F(AdminPagesTest, EnvoysPagesExist) {
  const std::string index = ask(proxy_, "/help").body;
  for (const char* page : {"/clusters", "/config_dump", "/drain_listeners (POST)",
                           "/healthcheck/fail (POST)", "/healthcheck/ok (POST)", "/listeners",
                           "/logging (POST)", "/memory", "/quitquitquit (POST)", "/ready",
                           "/reopen_logs (POST)", "/server_info", "/stats", "/stats/prometheus"}) {
    EXPECT_NE(index.find(std::string("  ") + page + ": "), std::string::npos) << page << index;
  }
}

TEST_F(AdminPagesTest, ReadySaysLiveUntilHealthChecksAreToFail) {
  EXPECT_EQ(ask(proxy_, "/ready").status, 200);
  EXPECT_EQ(ask(proxy_, "/ready").body, "LIVE\n");
  EXPECT_EQ(ask(proxy_, "POST", "/healthcheck/fail").body, "OK\n");
  EXPECT_EQ(ask(proxy_, "/ready").status, 503);
  EXPECT_EQ(ask(proxy_, "/ready").body, "DRAINING\n");
  EXPECT_EQ(proxy_.get("/").status, 200);  // it serves on
  EXPECT_EQ(ask(proxy_, "POST", "/healthcheck/ok").body, "OK\n");
  EXPECT_EQ(ask(proxy_, "/ready").status, 200);
}

TEST_F(AdminPagesTest, ServerInfoIsEnvoys) {
  const auto info = readJson<envoy::admin::v3::ServerInfo>(ask(proxy_, "/server_info"));
  EXPECT_EQ(info.version(), base::kVersion);
  EXPECT_EQ(info.state(), envoy::admin::v3::ServerInfo::LIVE);
  EXPECT_EQ(info.command_line_options().concurrency(), 1u);
  EXPECT_EQ(info.command_line_options().drain_time().seconds(), 30);
  EXPECT_EQ(info.node().user_agent_name(), "convoy-proxy");
}

TEST_F(AdminPagesTest, StatsMayBeChosen) {
  ASSERT_EQ(proxy_.get("/").status, 200);
  EXPECT_EQ(ask(proxy_, "/stats?filter=^cluster.web.upstream_rq_(2xx|5xx)$").body,
            "cluster.web.upstream_rq_2xx: 1\ncluster.web.upstream_rq_5xx: 0\n");
  EXPECT_EQ(ask(proxy_, "/stats?filter=^cluster.web.upstream_rq_(2xx|5xx)$&usedonly").body,
            "cluster.web.upstream_rq_2xx: 1\n");
  const Response prometheus = ask(proxy_, "/stats/prometheus?filter=upstream_rq_2xx");
  EXPECT_EQ(prometheus.content_type, "text/plain; version=0.0.4");
  EXPECT_NE(prometheus.body.find("\nenvoy_cluster_upstream_rq_xx{envoy_cluster_name=\"web\","
                                 "envoy_response_code_class=\"2\"} 1\n"),
            std::string::npos)
      << prometheus.body;
  EXPECT_EQ(ask(proxy_, "/stats?format=prometheus&filter=upstream_rq_2xx").body, prometheus.body);
  for (const char* bad : {"/stats?filter=(", "/stats?format=html", "/stats/prometheus?filter=["}) {
    EXPECT_EQ(ask(proxy_, bad).status, 400) << bad;
  }
}

TEST_F(AdminPagesTest, MemoryIsMoreThanNothing) {
  const auto memory = readJson<google::protobuf::Struct>(ask(proxy_, "/memory"));
  for (const char* field : {"allocated", "heap_size", "pageheap_free", "total_physical_bytes"}) {
    ASSERT_TRUE(memory.fields().contains(field)) << field;
  }
  // glibc counts nothing where a sanitizer brings its own allocator.
  const bool counted = ::mallinfo2().arena != 0;
  const auto digits = [&](const char* field) {
    return memory.fields().at(field).string_value().size();
  };
  EXPECT_GT(digits("total_physical_bytes"), 3u);
  EXPECT_EQ(digits("allocated") > 3u, counted);
  EXPECT_EQ(digits("heap_size") > 3u, counted);
}

TEST_F(AdminPagesTest, LoggingShowsAndSetsTheLevel) {
  const base::LogLevel before = base::logLevel();
  EXPECT_EQ(ask(proxy_, "POST", "/logging?level=debug").body, "active loggers:\n  convoy: debug\n");
  EXPECT_EQ(base::logLevel(), base::LogLevel::Debug);
  EXPECT_EQ(ask(proxy_, "POST", "/logging?level=loud").status, 400);
  EXPECT_EQ(ask(proxy_, "POST", "/logging?paths=a:debug").status, 400);
  EXPECT_EQ(ask(proxy_, "POST", "/logging?bogus=debug").status, 400);
  EXPECT_EQ(ask(proxy_, "POST", "/logging?level=info&bogus=debug").status, 400);
  EXPECT_EQ(ask(proxy_, "POST", "/logging").body, "active loggers:\n  convoy: debug\n");
  base::setLogLevel(before);
}

TEST_F(AdminPagesTest, DrainedListenersCloseAndTheProcessLivesOn) {
  const net::Address address = proxy_.address();
  const RawSocket open = RawSocket::connectedTo(address);
  open.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(test::parseReply(open.receive()).status, 200);
  EXPECT_EQ(ask(proxy_, "POST", "/drain_listeners").body, "OK\n");
  open.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const test::HttpReply last = test::parseReply(open.receiveAll());
  EXPECT_EQ(last.status, 200);
  EXPECT_NE(last.head.find("Connection: close"), std::string::npos) << last.head;
  EXPECT_EQ(ask(proxy_, "/listeners").body, "");
  // The sockets close once the workers have let go of them.
  bool refused = false;
  for (int i = 0; i < 100'000 && !refused; ++i) {
    proxy_.onMain([](Server&) {});
    refused = !connects(address);
  }
  EXPECT_TRUE(refused);
  EXPECT_EQ(ask(proxy_, "/ready").status, 200);
}

TEST_F(AdminPagesTest, ReopeningLogsIsAllowed) {
  EXPECT_EQ(ask(proxy_, "POST", "/reopen_logs").body, "OK\n");
}

TEST_F(AdminPagesTest, QuitEndsTheProcess) {
  EXPECT_EQ(ask(proxy_, "POST", "/quitquitquit").body, "OK\n");
  proxy_.untilEnded();
  SUCCEED();
}

}  // namespace
}  // namespace convoy::server
