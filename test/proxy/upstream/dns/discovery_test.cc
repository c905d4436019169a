#include "proxy/upstream/dns/discovery.h"

#include <string>
#include <vector>

#include "test/common/metric_value.h"
#include "test/proxy/upstream/dns/fake_resolver.h"

namespace convoy::upstream {
namespace {

using std::chrono::seconds;
using test::dnsCluster;
using test::dnsSpec;
using test::found;
using test::hostsOf;
using test::namedEndpoint;
using test::notFound;
using test::servfail;

class DiscoveryTest : public test::DnsTest {
 protected:
  DiscoveryTest() {
    discovery_.onReady([this](const DnsDiscovery::Names& names) {
      for (const std::string& name : names) ready_ += name + " ";
    });
    discovery_.onChanged([this](const DnsDiscovery::Names& names) {
      for (const std::string& name : names) {
        changed_ += name + "=" + hostsOf(*discovery_.assignment(name)) + "; ";
      }
    });
  }
  int64_t gauge(std::string_view name) const {
    return test::metricValue(registry_, "cluster", name);
  }
  static std::shared_ptr<ClusterSpec> named(const std::string& host) {
    return dnsCluster(dnsSpec({namedEndpoint(host)}));
  }

  DnsDiscovery discovery_{loop(), resolver_, registry_, {.use_tcp = true}};
  std::string ready_;
  std::string changed_;
};

TEST_F(DiscoveryTest, AClusterInForceFindsItsHostsAndTellsOfChanges) {
  const auto hosts = discovery_.putInForce(named("a"));
  ASSERT_NE(hosts, nullptr);
  EXPECT_EQ(hostsOf(*hosts), "");
  EXPECT_FALSE(discovery_.ready("web"));
  EXPECT_TRUE(resolver_.asked.front().spec.use_tcp) << "the node's resolver";
  resolver_.answerV4("a", found({"10.0.0.1"}));
  EXPECT_EQ(changed_, "") << "never from inside";
  run();
  EXPECT_EQ(changed_, "web=10.0.0.1:80; ");
  EXPECT_EQ(ready_, "web ");
  EXPECT_TRUE(discovery_.ready("web"));
  clock_.advance(seconds(11));
  resolver_.answerV4("a", found({"10.0.0.1"}));
  run();
  EXPECT_EQ(changed_, "web=10.0.0.1:80; ") << "the same";
  EXPECT_EQ(ready_, "web ");
}

TEST_F(DiscoveryTest, ReadyMeansLookedUpNotFound) {
  discovery_.putInForce(dnsCluster(dnsSpec({namedEndpoint("a"), namedEndpoint("b")})));
  resolver_.answerV4("a", servfail());
  run();
  EXPECT_EQ(ready_, "");
  resolver_.answerV4("b", notFound());
  run();
  EXPECT_EQ(ready_, "web ");
  EXPECT_EQ(changed_, "");
}

TEST_F(DiscoveryTest, APreparedSpecLeavesTheOneInForceAlone) {
  discovery_.putInForce(named("a"));
  resolver_.answerV4("a", found({"10.0.0.1"}));
  run();
  const auto next = named("b");
  discovery_.prepare(next);
  EXPECT_FALSE(discovery_.ready("web"));
  EXPECT_EQ(hostsOf(*discovery_.assignment("web")), "10.0.0.1:80");
  clock_.advance(seconds(11));
  resolver_.answerV4("a", found({"10.0.0.9"}));
  run();
  EXPECT_EQ(changed_, "web=10.0.0.1:80; web=10.0.0.9:80; ");
  resolver_.answerV4("b", found({"10.0.0.2"}));
  run();
  EXPECT_EQ(ready_, "web web ");
  EXPECT_EQ(changed_, "web=10.0.0.1:80; web=10.0.0.9:80; ") << "not yet in force";
  EXPECT_EQ(hostsOf(*discovery_.putInForce(next)), "10.0.0.2:80");
  EXPECT_EQ(hostsOf(*discovery_.assignment("web")), "10.0.0.2:80");
}

TEST_F(DiscoveryTest, AnEditOfSomethingElseIsReadyAtOnce) {
  discovery_.putInForce(named("a"));
  resolver_.answerV4("a", found({"10.0.0.1"}));
  run();
  const int asked = resolver_.total;
  const auto next = named("a");
  discovery_.prepare(next);
  EXPECT_TRUE(discovery_.ready("web"));
  EXPECT_EQ(hostsOf(*discovery_.putInForce(next)), "10.0.0.1:80");
  EXPECT_EQ(resolver_.total, asked);
}

TEST_F(DiscoveryTest, TheLastPreparedCounts) {
  discovery_.prepare(named("a"));
  const auto next = named("b");
  discovery_.prepare(next);
  EXPECT_EQ(resolver_.questions(), "v4 b");
  resolver_.answerV4("b", found({"10.0.0.2"}));
  run();
  EXPECT_EQ(ready_, "web ");
  EXPECT_EQ(hostsOf(*discovery_.putInForce(next)), "10.0.0.2:80");
}

TEST_F(DiscoveryTest, OutOfPatience) {
  const auto spec = named("a");
  discovery_.prepare(spec);
  EXPECT_EQ(hostsOf(*discovery_.putInForce(spec)), "");
  resolver_.answerV4("a", found({"10.0.0.1"}));
  run();
  EXPECT_EQ(changed_, "web=10.0.0.1:80; ");
}

TEST_F(DiscoveryTest, AClusterThatNeedsNoDnsAnyMore) {
  discovery_.putInForce(named("a"));
  auto plain = std::make_shared<ClusterSpec>();
  plain->name = "web";
  discovery_.prepare(named("b"));
  discovery_.prepare(plain);
  EXPECT_EQ(resolver_.questions(), "v4 a") << "still in force";
  EXPECT_EQ(discovery_.putInForce(plain), nullptr);
  EXPECT_EQ(resolver_.questions(), "");
  EXPECT_EQ(discovery_.assignment("web"), nullptr);
  EXPECT_TRUE(discovery_.ready("web"));
  EXPECT_EQ(gauge("update_attempt"), -1) << "its metrics went with it";
  discovery_.prepare(named("b"));
  discovery_.prepare(plain);
  EXPECT_EQ(resolver_.questions(), "");
}

TEST_F(DiscoveryTest, ForgottenItAsksNothing) {
  discovery_.putInForce(named("a"));
  discovery_.prepare(named("b"));
  resolver_.answerV4("a", found({"10.0.0.1"}));
  discovery_.forget("web");
  EXPECT_EQ(resolver_.questions(), "");
  EXPECT_EQ(discovery_.assignment("web"), nullptr);
}

TEST_F(DiscoveryTest, TheAgeGrowsUntilTheNextGoodAnswer) {
  discovery_.putInForce(named("a"));
  resolver_.answerV4("a", found({"10.0.0.1"}));
  EXPECT_EQ(gauge("dns.age_seconds"), 0);
  for (int i = 0; i < 3; ++i) {
    clock_.advance(seconds(11));
    resolver_.answerV4("a", servfail());
  }
  EXPECT_EQ(gauge("dns.age_seconds"), 33);
  EXPECT_EQ(gauge("update_failure"), 3);
  std::vector<std::string> shown;
  discovery_.forEachName("web", [&](const DnsDiscovery::NameView& name) {
    shown.push_back(name.host + " " + std::to_string(name.addresses) + " " +
                    std::to_string(name.age / seconds(1)) + " " + std::string(name.problem));
  });
  EXPECT_EQ(shown, std::vector<std::string>{"a 1 33 SERVFAIL"});
  clock_.advance(seconds(11));
  resolver_.answerV4("a", found({"10.0.0.1"}));
  EXPECT_EQ(gauge("dns.age_seconds"), 0);
}

TEST_F(DiscoveryTest, ManyAnswersOfOneTurnAreToldTogether) {
  int told = 0;
  discovery_.onChanged([&](const DnsDiscovery::Names& names) {
    ++told;
    EXPECT_EQ(names.size(), 3u);
  });
  for (const char* name : {"x", "y", "z"}) {
    discovery_.putInForce(dnsCluster(dnsSpec({namedEndpoint(name)}), name));
  }
  {
    const event::Loop::TurnScope turn(loop());
    for (const char* name : {"x", "y", "z"}) resolver_.answerV4(name, found({"10.0.0.1"}));
  }
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace convoy::upstream
