#include "proxy/upstream/outlier/guard.h"

#include "proxy/upstream/health/monitor.h"
#include "proxy/upstream/outlier/spec.h"
#include "test/proxy/upstream/fixture.h"
#include "test/proxy/upstream/health/health_fixture.h"

namespace convoy::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A cluster manager and its worker; what requests come to is said by the test.
class GuardTest : public test::UpstreamTest {
 protected:
  static std::shared_ptr<OutlierSpec> outliers(uint32_t percent = 50) {
    auto outlier = std::make_shared<OutlierSpec>();
    outlier->max_ejection_percent = percent;
    return outlier;
  }
  static std::shared_ptr<ClusterSpec> guarded(std::shared_ptr<const OutlierSpec> outlier) {
    auto spec = clusterSpec();
    spec->outlier = std::move(outlier);
    return spec;
  }
  HostRef hostOf(int index) {
    for (int i = 0; i < 100; ++i) {
      PickResult picked = cluster().pick();
      if (picked.lease.host().address() == address(index)) return picked.lease.ref();
    }
    ADD_FAILURE() << index << " gets no requests";
    return {};
  }
  void fail(int index, int times = 5) {
    const HostRef host = hostOf(index);
    for (int i = 0; i < times; ++i) cluster().noteOutcome(host, Outcome::answered(500, {}));
    run();
  }
  void pass(event::Duration time) {
    for (; time > event::Duration::zero(); time -= milliseconds(50)) {
      clock_.advance(milliseconds(50));
      run();
    }
  }
  // Last parts of the addresses that new requests may go to.
  std::string eligible() {
    std::string out;
    manager_->forEach([&](const ClusterManager::ClusterView& view) {
      for (const auto& host : view.hosts) {
        const std::string ip = host.host.address().ipText();
        if (host.eligible) out += ip.substr(ip.rfind('.') + 1) + " ";
      }
    });
    return out;
  }
  EjectionView ejection(int index) {
    EjectionView found;
    manager_->forEach([&](const ClusterManager::ClusterView& view) {
      for (const auto& host : view.hosts) {
        if (host.host.address() == address(index)) found = host.ejection;
      }
    });
    return found;
  }
};

TEST_F(GuardTest, AHostThatFailsRequestsGetsNoMoreForAWhile) {
  makeCluster(guarded(outliers()), 4);
  fail(2, 4);
  EXPECT_EQ(eligible(), "1 2 3 4 ");
  fail(2, 1);
  EXPECT_EQ(eligible(), "1 3 4 ");
  EXPECT_TRUE(ejection(2).ejected);
  EXPECT_EQ(ejection(2).evidence, "5 responses of 5xx, or none, in a row");
  EXPECT_EQ(metrics().upstream_cx_none_healthy.value(), 0u);
  fail(4);
  fail(1);  // half of the hosts are out
  EXPECT_EQ(eligible(), "1 3 ");
  pass(seconds(29));
  EXPECT_EQ(eligible(), "1 3 ");
  pass(seconds(2));
  EXPECT_EQ(eligible(), "1 2 3 4 ");
}

TEST_F(GuardTest, ItsConnectionsFinishAndClose) {
  makeCluster(guarded(outliers()), 2);
  test::TestRequest request;
  send(request);
  const int index = request.host.address() == address(1) ? 1 : 2;
  fail(index);
  EXPECT_TRUE(ejection(index).ejected);
  answer(peer(0));
  EXPECT_EQ(request.status, 200);
  EXPECT_EQ(counts(request.host).idle, 0u);
}

TEST_F(GuardTest, HostsAndRulesMayChangeMeanwhile) {
  makeCluster(guarded(outliers()), 4);
  fail(2);
  setHosts({endpoint(1), endpoint(2, 7), endpoint(3)});
  EXPECT_EQ(eligible(), "1 3 ") << "a weight does not bring it back";
  setHosts({endpoint(1), endpoint(3), endpoint(4)});
  setHosts({endpoint(1), endpoint(2), endpoint(3)});
  EXPECT_EQ(eligible(), "1 2 3 ") << "one that was gone is another";
  fail(2);
  auto stricter = outliers();
  stricter->consecutive_5xx = 2;
  apply({.clusters = {guarded(stricter)}});
  EXPECT_EQ(eligible(), "1 3 ");
  apply({.clusters = {clusterSpec()}});
  EXPECT_EQ(eligible(), "1 2 3 ") << "nobody watches any more";
  EXPECT_FALSE(cluster().recordsOutcomes());
  fail(2);
  EXPECT_EQ(eligible(), "1 2 3 ");
  apply({.clusters = {guarded(stricter)}});
  fail(3, 2);
  EXPECT_EQ(eligible(), "1 2 ");
}

TEST_F(GuardTest, NewsOfAClusterThatIsGoneAreForNobody) {
  makeCluster(guarded(outliers()), 2);
  const HostRef host = hostOf(1);
  WorkerCluster& before = cluster();
  manager_->apply({.removed = {"web"}});
  for (int i = 0; i < 5; ++i) before.noteOutcome(host, Outcome::failed());
  run();
  EXPECT_EQ(find(), nullptr);
  pass(seconds(11));
  EXPECT_EQ(manager_->size(), 0u);
}

TEST_F(GuardTest, PassedChecksBringHostsBackIfTheyMay) {
  test::HealthIo checks;
  Monitor monitor(loop_.loop(), {&loop_.loop()}, registry_, checks, Monitor::Options{});
  manager_->monitorHealthBy(monitor);
  auto outlier = outliers();
  auto spec = guarded(outlier);
  spec->health_check = test::everyTwoSeconds();
  makeCluster(spec, 2);
  pass(seconds(3));
  fail(1);
  EXPECT_EQ(eligible(), "2 ");
  checks.all_down = true;  // no pass
  pass(seconds(2));
  EXPECT_EQ(eligible(), "2 ");
  checks.all_down = false;
  pass(seconds(3));
  EXPECT_EQ(eligible(), "1 2 ");
  // And not, if they may not.
  auto patient = std::make_shared<OutlierSpec>(*outlier);
  patient->health_check_unejects = false;
  auto other = std::make_shared<ClusterSpec>(*spec);
  other->outlier = patient;
  apply({.clusters = {other}});
  fail(1);
  pass(seconds(5));
  EXPECT_EQ(eligible(), "2 ");
  monitor.shutdown();
  run();
  manager_.reset();
  run();
}

}  // namespace
}  // namespace convoy::upstream
