#include "proxy/http/h1_error.h"

#include <set>

#include "gtest/gtest.h"

namespace convoy::http {
namespace {

TEST(H1ErrorTest, EachHasADetailAFailureAndAText) {
  std::set<std::string_view> details;
  for (int i = 0; i < static_cast<int>(H1Error::kCount); ++i) {
    const H1ErrorInfo& row = info(H1Error(i));
    EXPECT_EQ(row.error, H1Error(i));
    EXPECT_TRUE(details.insert(row.detail).second) << row.detail << " names two errors";
    EXPECT_EQ(row.detail.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"),
              std::string_view::npos)
        << row.detail;
    EXPECT_FALSE(row.text.empty()) << row.detail;
    if (row.error == H1Error::None) continue;
    EXPECT_EQ(info(row.request_failure).blame, Blame::Downstream) << row.detail;
    EXPECT_GE(info(row.request_failure).status, 400) << row.detail;
  }
}

TEST(H1ErrorTest, KeepsThePromisedStatuses) {
  EXPECT_EQ(info(info(H1Error::BareLf).request_failure).status, 400);
  EXPECT_EQ(info(info(H1Error::HeadTooLarge).request_failure).status, 431);
  EXPECT_EQ(info(info(H1Error::TooManyFields).request_failure).status, 431);
  EXPECT_EQ(info(info(H1Error::UnsupportedVersion).request_failure).status, 505);
  EXPECT_EQ(info(info(H1Error::TransferEncodingUnknown).request_failure).status, 501);
}

}  // namespace
}  // namespace convoy::http
