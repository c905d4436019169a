#include "proxy/upstream/removed_hosts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "test/proxy/upstream/fixture.h"

namespace convoy::upstream {
namespace {

std::shared_ptr<Host> hostAt(int port) {
  return std::make_shared<Host>(
      net::Address::fromIp("10.0.0.1", static_cast<uint16_t>(port)).value(), 0, 2);
}

std::string textOf(const RemovedHosts& hosts) {
  std::string text;
  hosts.forEach([&](const std::string& cluster, const std::shared_ptr<const Host>& host) {
    absl::StrAppend(&text, cluster, "/", host->address().port(), " ");
  });
  return text;
}

TEST(RemovedHostsTest, ThoseThatHaveSomethingToDoAreShown) {
  RemovedHosts hosts;
  auto busy = hostAt(1), connected = hostAt(2), idle = hostAt(3);
  busy->metrics(1).rq_active.add();
  connected->metrics(0).cx_active.add();
  hosts.add("web", connected);
  hosts.add("web", busy);
  hosts.add("api", busy);
  hosts.add("web", idle);
  EXPECT_EQ(textOf(hosts), "api/1 web/2 web/1 ");
  connected->metrics(0).cx_active.sub();
  EXPECT_EQ(textOf(hosts), "api/1 web/1 ");
  busy.reset();
  EXPECT_EQ(textOf(hosts), "");
}

TEST(RemovedHostsTest, WhoIsGoneIsForgotten) {
  RemovedHosts hosts;
  std::vector<std::shared_ptr<Host>> kept;
  for (int i = 0; i < 2000; ++i) {
    auto host = hostAt(i);
    hosts.add(absl::StrCat("c", i % 7), host);
    if (i % 20 == 0) kept.push_back(std::move(host));
    EXPECT_LE(hosts.sizeForTest(), std::max(RemovedHosts::kLeast, 2 * kept.size() + 1)) << i;
  }
  for (const auto& host : kept) host->metrics(0).rq_active.add();
  size_t shown = 0;
  hosts.forEach([&](const std::string&, const std::shared_ptr<const Host>&) { ++shown; });
  EXPECT_EQ(shown, kept.size());
  EXPECT_EQ(hosts.sizeForTest(), kept.size()) << "when somebody looks, too";
}

// --- as the cluster manager has it ---

class RemovedTest : public test::UpstreamTest {
 protected:
  std::string removed() {
    std::string text;
    for (const auto& [cluster, host] : manager_->removedHosts()) {
      absl::StrAppend(&text, cluster, "/", host->addressText(), " ");
    }
    return text;
  }
};

TEST_F(RemovedTest, AHostIsThereUntilItsLastRequestIsOver) {
  int announced = 0;
  manager_->onHostStateChanged([&] { ++announced; });
  makeCluster(1);
  test::TestRequest request;
  send(request);
  EXPECT_EQ(announced, 0);
  setHosts({endpoint(2)});
  EXPECT_EQ(announced, 1);
  EXPECT_EQ(removed(), "web/10.0.0.1:80 ");
  EXPECT_EQ(manager_->removedHosts()[0].host->sum(&HostMetrics::rq_active), 1);
  // Under the same address there may be another one meanwhile, which may go as well.
  setHosts({endpoint(1)});
  EXPECT_EQ(removed(), "web/10.0.0.1:80 ");
  test::TestRequest second;
  send(second);
  setHosts({});
  EXPECT_EQ(removed(), "web/10.0.0.1:80 web/10.0.0.1:80 ");
  answer(peer(0));
  EXPECT_EQ(request.status, 200);
  EXPECT_EQ(removed(), "web/10.0.0.1:80 ") << "although somebody remembers it for the log";
  answer(peer(1));
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(removed(), "");
}

TEST_F(RemovedTest, AnIdleHostGoesAtOnce) {
  makeCluster(1);
  test::TestRequest request;
  send(request);
  answer(peer(0));
  setHosts({endpoint(2)});
  EXPECT_EQ(removed(), "");
}

TEST_F(RemovedTest, SoAreTheHostsOfAClusterThatIsGone) {
  int announced = 0;
  makeCluster(2);
  test::TestRequest request;
  send(request);
  manager_->onHostStateChanged([&] { ++announced; });
  apply({.removed = {"web"}});
  EXPECT_EQ(announced, 1);
  EXPECT_NE(removed(), "");
  answer(peer(0));
  EXPECT_EQ(request.status, 200);
  EXPECT_EQ(removed(), "");
}

TEST_F(RemovedTest, AHostThatDrainsIsAnnounced) {
  int announced = 0;
  makeCluster(1);
  manager_->onHostStateChanged([&] { ++announced; });
  setHosts({endpoint(1, 2)});
  EXPECT_EQ(announced, 0) << "another weight is no other state";
  setHosts({endpoint(1, 1, HealthStatus::Unhealthy)});
  EXPECT_EQ(announced, 1);
  setHosts({endpoint(1, 1, HealthStatus::Draining)});
  EXPECT_EQ(announced, 2) << "though it got nothing before";
  EXPECT_EQ(removed(), "");
}

}  // namespace
}  // namespace convoy::upstream
