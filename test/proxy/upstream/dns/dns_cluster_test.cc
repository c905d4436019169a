#include "proxy/upstream/dns/dns_cluster.h"

#include <string>

#include "test/proxy/upstream/dns/fake_resolver.h"

namespace convoy::upstream {
namespace {

using test::found;
using test::hostsOf;
using test::namedEndpoint;
using test::servfail;

class DnsClusterTest : public test::DnsTest {
 protected:
  std::unique_ptr<DnsCluster> start(std::shared_ptr<const DnsSpec> spec,
                                    const DnsCluster* before = nullptr) {
    auto cluster = std::make_unique<DnsCluster>(environment_, metrics_,
                                                test::dnsCluster(std::move(spec)), [](bool) {});
    cluster->start(before);
    return cluster;
  }
  DnsEnvironment environment_{loop(), resolver_};
  DnsMetrics metrics_;
};

TEST_F(DnsClusterTest, AllAddressesOfAllNamesAreHosts) {
  auto spec = test::dnsSpec({namedEndpoint("a"), namedEndpoint("b", 81, 1)});
  spec->fixed.localities[0].endpoints.emplace_back().address =
      net::Address::parse("192.0.2.1:80").value();
  spec->fixed.localities[1].priority = 1;
  spec->named[1].endpoint.weight = 7;
  const auto cluster = start(spec);
  EXPECT_FALSE(cluster->settled());
  EXPECT_EQ(hostsOf(*cluster->assignment()), "192.0.2.1:80");
  resolver_.answerV4("b", found({"10.0.1.2", "10.0.1.1"}));
  EXPECT_FALSE(cluster->settled());
  resolver_.answerV4("a", found({"10.0.0.1"}));
  EXPECT_TRUE(cluster->settled());
  const auto assignment = cluster->assignment();
  EXPECT_EQ(hostsOf(*assignment), "192.0.2.1:80 10.0.0.1:80 10.0.1.1:81 10.0.1.2:81");
  EXPECT_EQ(assignment->version, "");
  EXPECT_EQ(assignment->localities[1].priority, 1u);
  const EndpointSpec& endpoint = assignment->localities[1].endpoints[0];
  EXPECT_EQ(endpoint.weight, 7u);
  EXPECT_EQ(endpoint.hostname, "b");
}

TEST_F(DnsClusterTest, OneNameWithTwoPortsIsLookedUpOnce) {
  const auto cluster = start(test::dnsSpec({namedEndpoint("a", 80), namedEndpoint("a", 81)}));
  EXPECT_EQ(resolver_.questions(), "v4 a");
  resolver_.answerV4("a", found({"10.0.0.1", "10.0.0.2"}));
  EXPECT_EQ(hostsOf(*cluster->assignment()), "10.0.0.1:80 10.0.0.2:80 10.0.0.1:81 10.0.0.2:81");
}

TEST_F(DnsClusterTest, HealthChecksFollowTheAddress) {
  auto spec = test::dnsSpec({namedEndpoint("a"), namedEndpoint("b"), namedEndpoint("c")});
  spec->named[0].health_port = 9000;
  spec->named[0].endpoint.hostname = "name.of.its.own";
  spec->named[1].endpoint.health_address = net::Address::fromIp("192.0.2.9", 0).value();
  spec->named[2].endpoint.health_address = net::Address::parse("192.0.2.9:9").value();
  const auto cluster = start(spec);
  for (const char* name : {"a", "b", "c"}) resolver_.answerV4(name, found({"10.0.0.1"}));
  const auto assignment = cluster->assignment();
  const auto& endpoints = assignment->localities[0].endpoints;
  EXPECT_EQ(endpoints[0].hostname, "name.of.its.own");
  EXPECT_EQ(endpoints[0].health_address->text(), "10.0.0.1:9000");
  EXPECT_EQ(endpoints[1].health_address->text(), "192.0.2.9:80");
  EXPECT_EQ(endpoints[2].health_address->text(), "192.0.2.9:9");
}

TEST_F(DnsClusterTest, NamesThatStayKeepTheirAnswers) {
  auto before = start(test::dnsSpec({namedEndpoint("a"), namedEndpoint("b")}));
  resolver_.answerV4("a", found({"10.0.0.1"}));
  resolver_.answerV4("b", found({"10.0.0.2"}));
  const auto next = start(test::dnsSpec({namedEndpoint("b"), namedEndpoint("c")}), before.get());
  EXPECT_EQ(resolver_.questions(), "v4 c");
  EXPECT_FALSE(next->settled());
  resolver_.answerV4("c", servfail());
  EXPECT_TRUE(next->settled());
  EXPECT_EQ(hostsOf(*next->assignment()), "10.0.0.2:80");
}

TEST_F(DnsClusterTest, TheOldestAnswerIsTheAge) {
  const event::MonotonicTime born = loop().now();
  const auto cluster = start(test::dnsSpec({namedEndpoint("a"), namedEndpoint("b")}));
  clock_.advance(std::chrono::seconds(3));
  resolver_.answerV4("a", found({"10.0.0.1"}));
  EXPECT_EQ(cluster->oldestGoodAt(), born);
  resolver_.answerV4("b", found({"10.0.0.1"}));
  EXPECT_EQ(cluster->oldestGoodAt(), born + std::chrono::seconds(3));
}

}  // namespace
}  // namespace convoy::upstream
