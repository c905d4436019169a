#include "proxy/upstream/dns/dns_name.h"

#include <string>

#include "test/proxy/upstream/dns/fake_resolver.h"

namespace convoy::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::found;
using test::noData;
using test::notFound;
using test::servfail;
using test::timedOut;

class DnsNameTest : public test::DnsTest {
 protected:
  void make() { name_ = another(); }
  std::unique_ptr<DnsName> another() {
    return std::make_unique<DnsName>(environment_, metrics_, "web", "app", spec_,
                                     [this](bool changed) { changes_ += changed ? "*" : "."; });
  }
  void start() {
    make();
    name_->start(nullptr);
  }
  std::string addresses(const DnsName& name) const {
    std::string text;
    for (const auto& address : name.addresses()) {
      text += (text.empty() ? "" : " ") + address.ipText();
    }
    return text;
  }
  std::string addresses() const { return addresses(*name_); }
  // A whole look-up of IPv4.
  void nowFinds(DnsAnswer answer) {
    untilAsked();
    resolver_.answerV4("app", std::move(answer));
  }
  void untilAsked() {
    for (int i = 0; i < 100 && resolver_.asked.empty(); ++i) clock_.advance(seconds(1));
    ASSERT_FALSE(resolver_.asked.empty());
  }
  // How long until it is looked up again, in steps of a hundredth of `about`.
  event::Duration pause(event::Duration about) {
    const event::MonotonicTime from = clock_.monotonicNow();
    while (resolver_.asked.empty() && clock_.monotonicNow() - from < 3 * about) {
      clock_.advance(about / 100);
    }
    return clock_.monotonicNow() - from;
  }

  DnsEnvironment environment_{loop(), resolver_};
  DnsMetrics metrics_;
  std::shared_ptr<DnsSpec> spec_ = test::dnsSpec();
  std::string changes_;
  std::unique_ptr<DnsName> name_;
};

TEST_F(DnsNameTest, AddressesAreInOrderWhateverTheServersIs) {
  start();
  EXPECT_FALSE(name_->settled());
  EXPECT_EQ(addresses(), "");
  nowFinds(found({"10.0.0.3", "10.0.0.1", "10.0.0.3", "10.0.0.2"}));
  EXPECT_TRUE(name_->settled());
  EXPECT_EQ(addresses(), "10.0.0.1 10.0.0.2 10.0.0.3");
  nowFinds(found({"10.0.0.2", "10.0.0.3", "10.0.0.1"}));
  EXPECT_EQ(changes_, "*.");
  nowFinds(found({"10.0.0.2"}));
  EXPECT_EQ(addresses(), "10.0.0.2");
  EXPECT_EQ(changes_, "*.*");
  EXPECT_EQ(metrics_.update_attempt.value(), 3u);
  EXPECT_EQ(metrics_.update_success.value(), 3u);
  EXPECT_EQ(metrics_.update_no_rebuild.value(), 1u);
}

TEST_F(DnsNameTest, FailuresKeepWhatThereWas) {
  start();
  nowFinds(found({"10.0.0.1"}));
  const event::MonotonicTime good_at = name_->goodAt();
  for (int i = 0; i < 10; ++i) {
    nowFinds(servfail());
    EXPECT_EQ(name_->problem(), "SERVFAIL");
    nowFinds(timedOut());
    EXPECT_EQ(name_->problem(), "TIMEOUT");
  }
  EXPECT_EQ(addresses(), "10.0.0.1");
  EXPECT_EQ(name_->goodAt(), good_at);
  EXPECT_EQ(metrics_.update_failure.value(), 20u);
  EXPECT_EQ(metrics_.failed.value(), 10u);
  EXPECT_EQ(metrics_.timeout.value(), 10u);
  nowFinds(found({"10.0.0.1"}));
  EXPECT_EQ(name_->problem(), "");
  EXPECT_GT(name_->goodAt(), good_at);
  EXPECT_EQ(changes_, "*" + std::string(21, '.'));
}

TEST_F(DnsNameTest, NxdomainActsWhenItIsConfirmed) {
  spec_->confirmations = 3;
  start();
  nowFinds(found({"10.0.0.1"}));
  nowFinds(notFound());
  nowFinds(notFound());
  // A good answer begins the count anew; a failure does not count.
  nowFinds(found({"10.0.0.1"}));
  nowFinds(notFound());
  nowFinds(servfail());
  nowFinds(noData());
  EXPECT_EQ(addresses(), "10.0.0.1");
  nowFinds(notFound());
  EXPECT_EQ(addresses(), "");
  EXPECT_EQ(name_->problem(), "NXDOMAIN");
  nowFinds(notFound());
  EXPECT_EQ(changes_, "*......*.");
  EXPECT_EQ(metrics_.update_empty.value(), 6u);
  EXPECT_EQ(metrics_.not_found.value(), 5u);
  nowFinds(found({"10.0.0.2"}));
  EXPECT_EQ(addresses(), "10.0.0.2");
}

TEST_F(DnsNameTest, ANameThatWasNeverThereIsSettledByTheFirstAnswer) {
  start();
  nowFinds(notFound());
  EXPECT_TRUE(name_->settled());
  EXPECT_EQ(changes_, ".");
}

TEST_F(DnsNameTest, OneFamilyMayFail) {
  spec_->families = DnsFamilies::All;
  start();
  resolver_.answerV4("app", found({"10.0.0.1"}));
  resolver_.answerV6("app", found({"fd00::1"}));
  EXPECT_EQ(addresses(), "10.0.0.1 fd00::1");
  untilAsked();
  resolver_.answerV4("app", found({"10.0.0.2"}));
  resolver_.answerV6("app", servfail());
  EXPECT_EQ(addresses(), "10.0.0.2 fd00::1");
  untilAsked();
  resolver_.answerV4("app", found({"10.0.0.2"}));
  resolver_.answerV6("app", noData());
  EXPECT_EQ(addresses(), "10.0.0.2");
  untilAsked();
  resolver_.answerV4("app", servfail());
  resolver_.answerV6("app", noData());
  EXPECT_EQ(addresses(), "10.0.0.2") << "one of two failed: nothing is certain";
  EXPECT_EQ(name_->problem(), "SERVFAIL");
}

TEST_F(DnsNameTest, AFailureIsNoReasonToChangeTheFamily) {
  spec_->families = DnsFamilies::Auto;
  start();
  resolver_.answerV6("app", servfail());
  resolver_.answerV4("app", found({"10.0.0.1"}));
  EXPECT_EQ(addresses(), "10.0.0.1") << "it has no other";
  untilAsked();
  resolver_.answerV6("app", found({"fd00::1"}));
  EXPECT_EQ(addresses(), "fd00::1");
  untilAsked();
  resolver_.answerV6("app", timedOut());
  resolver_.answerV4("app", found({"10.0.0.1"}));
  EXPECT_EQ(addresses(), "fd00::1");
  EXPECT_EQ(name_->problem(), "TIMEOUT");
  untilAsked();
  resolver_.answerV6("app", noData());
  resolver_.answerV4("app", found({"10.0.0.1"}));
  EXPECT_EQ(addresses(), "10.0.0.1");

  spec_ = test::dnsSpec();
  spec_->families = DnsFamilies::V4Preferred;
  start();
  resolver_.answerV4("app", found({"10.0.0.1"}));
  untilAsked();
  resolver_.answerV4("app", servfail());
  resolver_.answerV6("app", found({"fd00::1"}));
  EXPECT_EQ(addresses(), "10.0.0.1");
}

TEST_F(DnsNameTest, AddressesThatAreNoHostsAreLeftOut) {
  start();
  nowFinds(found({"0.0.0.0", "10.0.0.1", "0.1.2.3", "224.0.0.1", "255.255.255.255", "127.0.0.1"}));
  EXPECT_EQ(addresses(), "10.0.0.1 127.0.0.1");
  EXPECT_EQ(metrics_.addresses_unusable.value(), 4u);
  nowFinds(found({"0.0.0.0"}));
  EXPECT_EQ(addresses(), "10.0.0.1 127.0.0.1") << "what names a sinkhole is a failure";
  EXPECT_EQ(metrics_.update_failure.value(), 1u);
  spec_ = test::dnsSpec();
  spec_->families = DnsFamilies::V6Only;
  start();
  resolver_.answerV6("app", found({"::", "ff02::1", "::1"}));
  EXPECT_EQ(addresses(), "::1");
  EXPECT_EQ(metrics_.addresses_unusable.value(), 7u);
}

TEST_F(DnsNameTest, ThereIsALimit) {
  spec_->max_addresses = 3;
  start();
  nowFinds(found({"10.0.0.5", "10.0.0.4", "10.0.0.3", "10.0.0.2", "10.0.0.1"}));
  EXPECT_EQ(addresses(), "10.0.0.1 10.0.0.2 10.0.0.3");
  EXPECT_EQ(metrics_.addresses_overflow.value(), 2u);
}

TEST_F(DnsNameTest, OneAddressIsKeptWhileItIsThere) {
  spec_->logical = true;
  start();
  nowFinds(found({"10.0.0.3", "10.0.0.1"}));
  EXPECT_EQ(addresses(), "10.0.0.3") << "the first, as the server orders them";
  nowFinds(found({"10.0.0.1", "10.0.0.2", "10.0.0.3"}));
  EXPECT_EQ(addresses(), "10.0.0.3");
  nowFinds(found({"10.0.0.2", "10.0.0.1"}));
  EXPECT_EQ(addresses(), "10.0.0.2");
  EXPECT_EQ(changes_, "*.*");
}

TEST_F(DnsNameTest, RefreshesAreJittered) {
  start();
  event::Duration least = seconds(100), most = seconds(0);
  for (int i = 0; i < 50; ++i) {
    nowFinds(found({"10.0.0.1"}, /*ttl=*/3600));
    const event::Duration after = pause(seconds(10));
    least = std::min(least, after);
    most = std::max(most, after);
  }
  EXPECT_GE(least, seconds(10));
  EXPECT_LT(least, milliseconds(10'400));
  EXPECT_GT(most, milliseconds(10'600));
  EXPECT_LE(most, milliseconds(11'200));
}

TEST_F(DnsNameTest, TheTtlDecidesBetweenTwoBounds) {
  spec_->respect_ttl = true;
  spec_->min_ttl = seconds(5);
  spec_->max_ttl = seconds(60);
  start();
  const struct {
    int ttl;
    seconds expected;
  } cases[] = {{0, seconds(10)},  {1, seconds(5)},       {30, seconds(30)},
               {60, seconds(60)}, {86'400, seconds(60)}, {INT32_MAX, seconds(60)}};
  for (const auto& row : cases) {
    nowFinds(found({"10.0.0.1"}, row.ttl));
    const event::Duration after = pause(row.expected);
    EXPECT_GE(after, row.expected) << row.ttl;
    EXPECT_LE(after, event::Duration(row.expected) * 112 / 100) << row.ttl;
  }
}

TEST_F(DnsNameTest, TheLeastTtlOfBothFamiliesDecides) {
  spec_->families = DnsFamilies::All;
  spec_->respect_ttl = true;
  start();
  resolver_.answerV4("app", found({"10.0.0.1"}, 40));
  resolver_.answerV6("app", found({"fd00::1"}, 20));
  const event::Duration after = pause(seconds(20));
  EXPECT_GE(after, seconds(20));
  EXPECT_LE(after, milliseconds(22'400));
}

TEST_F(DnsNameTest, AfterFailuresTheTimeDoubles) {
  spec_->failure_refresh = {milliseconds(1000), milliseconds(5000)};
  start();
  for (const int expected : {1000, 2000, 4000, 5000, 5000}) {
    nowFinds(servfail());
    const event::Duration after = pause(milliseconds(expected));
    EXPECT_GE(after, milliseconds(expected / 2));
    EXPECT_LE(after, milliseconds(expected * 102 / 100));
  }
  nowFinds(found({"10.0.0.1"}));
  EXPECT_GE(pause(seconds(10)), seconds(10));
  nowFinds(notFound());
  EXPECT_LE(pause(seconds(1)), milliseconds(1020));
}

TEST_F(DnsNameTest, WithoutARateOfTheirOwnFailuresHaveTheUsualOne) {
  start();
  nowFinds(servfail());
  EXPECT_GE(pause(seconds(10)), seconds(10));
}

TEST_F(DnsNameTest, AnEditKeepsTheAnswer) {
  start();
  nowFinds(found({"10.0.0.1"}));
  clock_.advance(seconds(4));
  const int asked = resolver_.total;
  auto next = another();
  next->start(name_.get());
  EXPECT_TRUE(next->settled());
  EXPECT_EQ(addresses(*next), "10.0.0.1");
  EXPECT_EQ(resolver_.total, asked);
  name_ = std::move(next);
  const event::Duration after = pause(seconds(6));
  EXPECT_GE(after, milliseconds(5900));
  EXPECT_LE(after, milliseconds(7200)) << "as it was due";
}

TEST_F(DnsNameTest, AnEditOfTheQuestionAsksAnewAndKeepsTheAddressesMeanwhile) {
  start();
  nowFinds(found({"10.0.0.1"}));
  const auto before = std::move(name_);
  spec_ = test::dnsSpec();
  spec_->families = DnsFamilies::V4Only;
  spec_->resolver = DnsResolverSpec{.use_tcp = true};
  make();
  name_->start(before.get());
  EXPECT_FALSE(name_->settled());
  EXPECT_EQ(addresses(), "10.0.0.1");
  nowFinds(servfail());
  EXPECT_TRUE(name_->settled());
  EXPECT_EQ(addresses(), "10.0.0.1");
  // Not those of a family that is not wanted any more.
  spec_ = test::dnsSpec();
  spec_->families = DnsFamilies::V6Only;
  const auto second = std::move(name_);
  make();
  name_->start(second.get());
  EXPECT_EQ(addresses(), "");
}

}  // namespace
}  // namespace convoy::upstream
