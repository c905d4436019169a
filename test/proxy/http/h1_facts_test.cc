#include "proxy/http/h1_facts.h"

#include "gtest/gtest.h"

namespace convoy::http {
namespace {

TEST(H1FactsTest, ContentLength) {
  H1Facts facts;
  EXPECT_EQ(facts.bodyLength().kind, BodyLength::Kind::None);
  EXPECT_EQ(facts.noteContentLength("9223372036854775807"), H1Error::None);
  EXPECT_EQ(facts.bodyLength().kind, BodyLength::Kind::Known);
  EXPECT_EQ(facts.bodyLength().bytes, 9223372036854775807U);
  EXPECT_EQ(facts.noteContentLength("9223372036854775807"), H1Error::DuplicateContentLength);
  EXPECT_EQ(facts.noteContentLength("9223372036854775806"), H1Error::ConflictingContentLength);
  EXPECT_EQ(facts.noteContentLength("9223372036854775808"), H1Error::InvalidContentLength);
  EXPECT_EQ(facts.noteContentLength("1a"), H1Error::InvalidContentLength);
  EXPECT_EQ(facts.checkFraming(Protocol::Http10), H1Error::None);
}

TEST(H1FactsTest, TransferEncoding) {
  H1Facts facts;
  EXPECT_EQ(facts.noteTransferEncoding("CHUNKED"), H1Error::None);
  EXPECT_EQ(facts.bodyLength().kind, BodyLength::Kind::Unknown);
  EXPECT_EQ(facts.checkFraming(Protocol::Http11), H1Error::None);
  EXPECT_EQ(facts.checkFraming(Protocol::Http10), H1Error::TransferEncodingInHttp10);
  EXPECT_EQ(facts.noteTransferEncoding("chunked"), H1Error::TransferEncodingRepeated);
  EXPECT_EQ(facts.noteContentLength("1"), H1Error::None);
  EXPECT_EQ(facts.checkFraming(Protocol::Http11), H1Error::ContentLengthAndTransferEncoding);
}

TEST(H1FactsTest, CodingsThatAreNotJustChunked) {
  const std::pair<std::string_view, H1Error> cases[] = {
      {"", H1Error::TransferEncodingUnknown},
      {"gzip", H1Error::TransferEncodingUnknown},
      {"gzip , chunked", H1Error::TransferEncodingUnknown},
      {"chunked , gzip", H1Error::TransferEncodingRepeated},
      {"chunked,gzip,chunked", H1Error::TransferEncodingRepeated},
      {"chunked, Chunked", H1Error::TransferEncodingRepeated},
  };
  for (const auto& [value, error] : cases) {
    H1Facts facts;
    EXPECT_EQ(facts.noteTransferEncoding(value), error) << value;
  }
}

TEST(H1FactsTest, ConnectionOptions) {
  H1Facts facts;
  facts.noteConnection("x-a, keep-alivex");
  EXPECT_FALSE(facts.close || facts.keep_alive || facts.upgrade);
  facts.noteConnection(",Close ,");
  EXPECT_TRUE(facts.close);
  facts.noteConnection("UPGRADE\t,Keep-Alive");
  EXPECT_TRUE(facts.upgrade);
  EXPECT_TRUE(facts.keep_alive);
}

}  // namespace
}  // namespace convoy::http
