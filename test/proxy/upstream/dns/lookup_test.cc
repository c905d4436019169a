#include "proxy/upstream/dns/lookup.h"

#include <optional>

#include "test/proxy/upstream/dns/fake_resolver.h"

namespace convoy::upstream {
namespace {

using test::found;
using test::noData;
using test::servfail;

class LookupTest : public test::DnsTest {
 protected:
  void start(DnsFamilies families) {
    answers_.reset();
    lookup_ = std::make_unique<DnsLookup>(resolver_, DnsResolverSpec{.use_tcp = true}, "app",
                                          families, [this](DnsAnswers answers) {
                                            EXPECT_FALSE(answers_.has_value());
                                            answers_ = std::move(answers);
                                            lookup_.reset();  // as owners do
                                          });
  }
  std::unique_ptr<DnsLookup> lookup_;
  std::optional<DnsAnswers> answers_;
};

TEST_F(LookupTest, OneFamily) {
  start(DnsFamilies::V4Only);
  EXPECT_EQ(resolver_.questions(), "v4 app");
  EXPECT_TRUE(resolver_.asked.front().spec.use_tcp);
  resolver_.answerV4("app", noData());
  ASSERT_TRUE(answers_.has_value());
  EXPECT_EQ(answers_->v4->kind, DnsAnswer::Kind::NoData);
  EXPECT_FALSE(answers_->v6.has_value());
  start(DnsFamilies::V6Only);
  EXPECT_EQ(resolver_.questions(), "v6 app");
  resolver_.answerV6("app", found({"::1"}));
  EXPECT_EQ(answers_->v6->addresses.size(), 1u);
}

TEST_F(LookupTest, ThePreferredFamilyFirst) {
  for (const bool v6_first : {true, false}) {
    const auto families = v6_first ? DnsFamilies::Auto : DnsFamilies::V4Preferred;
    const auto first = v6_first ? test::Family::Ipv6 : test::Family::Ipv4;
    const auto other = v6_first ? test::Family::Ipv4 : test::Family::Ipv6;
    start(families);
    EXPECT_EQ(resolver_.questions(), v6_first ? "v6 app" : "v4 app");
    resolver_.answer(first, "app", found({"::1"}));
    ASSERT_TRUE(answers_.has_value()) << "the other one is not asked";
    start(families);
    resolver_.answer(first, "app", servfail());
    EXPECT_FALSE(answers_.has_value());
    EXPECT_EQ(resolver_.questions(), v6_first ? "v4 app" : "v6 app");
    resolver_.answer(other, "app", noData());
    ASSERT_TRUE(answers_.has_value());
    EXPECT_TRUE(answers_->v4.has_value() && answers_->v6.has_value());
  }
}

TEST_F(LookupTest, BothAtOnce) {
  for (const bool v6_first : {true, false}) {
    start(DnsFamilies::All);
    EXPECT_EQ(resolver_.questions(), "v4 app, v6 app");
    v6_first ? resolver_.answerV6("app", noData()) : resolver_.answerV4("app", noData());
    EXPECT_FALSE(answers_.has_value());
    v6_first ? resolver_.answerV4("app", servfail()) : resolver_.answerV6("app", servfail());
    ASSERT_TRUE(answers_.has_value());
    EXPECT_EQ(answers_->v4->kind, v6_first ? DnsAnswer::Kind::Failed : DnsAnswer::Kind::NoData);
  }
}

TEST_F(LookupTest, DestroyedItAsksNobody) {
  start(DnsFamilies::All);
  lookup_.reset();
  EXPECT_EQ(resolver_.questions(), "");
  EXPECT_FALSE(answers_.has_value());
}

}  // namespace
}  // namespace convoy::upstream
