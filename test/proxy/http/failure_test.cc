#include "proxy/http/failure.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace convoy::http {
namespace {

std::vector<Failure> allFailures() {
  std::vector<Failure> all;
  for (int i = 0; i < static_cast<int>(Failure::kCount); ++i) all.push_back(Failure(i));
  return all;
}

TEST(FailureTest, EachHasItsOwnRowAndReasonCode) {
  std::set<std::string_view> codes;
  for (const Failure failure : allFailures()) {
    const FailureInfo& row = info(failure);
    EXPECT_EQ(row.failure, failure);
    EXPECT_FALSE(row.code.empty());
    EXPECT_EQ(row.code.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos)
        << row.code;
    EXPECT_TRUE(codes.insert(row.code).second) << row.code << " names two failures";
  }
}

TEST(FailureTest, AStatusAndATextForPeopleGoTogether) {
  for (const Failure failure : allFailures()) {
    const FailureInfo& row = info(failure);
    EXPECT_EQ(row.status == 0, row.text.empty()) << row.code;
    if (row.status == 0) continue;
    EXPECT_GE(row.status, 400) << row.code;
    EXPECT_LT(row.status, 600) << row.code;
    EXPECT_EQ(row.text.find('\n'), row.text.size() - 1) << row.code << ": one line";
  }
}

TEST(FailureTest, FlagsAreCapitals) {
  for (const Failure failure : allFailures()) {
    const std::string_view flag = info(failure).flag;
    EXPECT_EQ(flag.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), std::string_view::npos) << flag;
  }
}

TEST(FailureTest, RetriesThatAreUsedUpAreAFlagMore) {
  EXPECT_EQ(flagWithRetriesExhausted(Failure::UpstreamReset), "UC,URX");
  EXPECT_EQ(flagWithRetriesExhausted(Failure::None), "URX");
}

struct Expected {
  Failure failure;
  uint16_t status;
  std::string_view flag;
  Blame blame;
  bool retry_safe;
};

// What users were promised for bad input and broken upstreams.
const Expected kPromises[] = {
    {Failure::BadRequest, 400, "DPE", Blame::Downstream, false},
    {Failure::HeadTooLarge, 431, "DPE", Blame::Downstream, false},
    {Failure::RouteNotFound, 404, "NR", Blame::Local, false},
    {Failure::NoHealthyUpstream, 503, "UH", Blame::Local, true},
    {Failure::UpstreamConnectFailure, 503, "UF", Blame::Upstream, true},
    {Failure::UpstreamTransportFailure, 503, "UF", Blame::Upstream, true},
    {Failure::UpstreamFirstByteTimeout, 504, "UT", Blame::Upstream, false},
    {Failure::UpstreamReset, 502, "UC", Blame::Upstream, false},
    {Failure::UpstreamAbortedBody, 0, "UC", Blame::Upstream, false},
};

TEST(FailureTest, KeepsItsPromises) {
  for (const Expected& expected : kPromises) {
    const FailureInfo& row = info(expected.failure);
    EXPECT_EQ(row.status, expected.status) << row.code;
    EXPECT_EQ(row.flag, expected.flag) << row.code;
    EXPECT_EQ(row.blame, expected.blame) << row.code;
    EXPECT_EQ(row.retry_safe, expected.retry_safe) << row.code;
  }
}

}  // namespace
}  // namespace convoy::http
