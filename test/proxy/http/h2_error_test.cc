#include "proxy/http/h2_error.h"

#include <set>

#include "gtest/gtest.h"

namespace convoy::http {
namespace {

TEST(H2ErrorTest, EachHasADetailAFailureAndAText) {
  std::set<std::string_view> details;
  for (int i = 0; i < static_cast<int>(H2Error::kCount); ++i) {
    const H2ErrorInfo& row = info(H2Error(i));
    EXPECT_EQ(row.error, H2Error(i));
    EXPECT_TRUE(details.insert(row.detail).second) << row.detail << " names two errors";
    EXPECT_FALSE(row.text.empty()) << row.detail;
    EXPECT_EQ(h2ErrorOf(row.detail), H2Error(i)) << row.detail;
    if (row.error == H2Error::None) continue;
    EXPECT_NE(row.code, 0U) << row.detail;
    EXPECT_GE(info(row.request_failure).status, 400) << row.detail;
  }
}

TEST(H2ErrorTest, NamesWhatTheLibraryFound) {
  EXPECT_EQ(h2ErrorOf("bare_lf"), H2Error::None);
  EXPECT_EQ(h2ErrorOfCode(1), H2Error::ProtocolError);
  EXPECT_EQ(h2ErrorOfCode(2), H2Error::InternalError);
  EXPECT_EQ(h2ErrorOfCode(3), H2Error::FlowControlError);
  EXPECT_EQ(h2ErrorOfCode(5), H2Error::StreamClosed);
  EXPECT_EQ(h2ErrorOfCode(6), H2Error::FrameSizeError);
  EXPECT_EQ(h2ErrorOfCode(9), H2Error::CompressionError);
  EXPECT_EQ(h2ErrorOfCode(11), H2Error::FloodReset);
  EXPECT_EQ(h2ErrorOfCode(0), H2Error::ProtocolError);
  EXPECT_EQ(h2ErrorOfCode(1000), H2Error::ProtocolError);
}

TEST(H2ErrorTest, KeepsThePromisedStatuses) {
  EXPECT_EQ(info(info(H2Error::HeadTooLarge).request_failure).status, 431);
  EXPECT_EQ(info(info(H2Error::CookiesTooLarge).request_failure).status, 431);
  EXPECT_EQ(info(info(H2Error::InvalidPath).request_failure).status, 400);
}

}  // namespace
}  // namespace convoy::http
