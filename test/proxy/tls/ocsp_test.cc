#include "proxy/tls/ocsp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "test/common/test_ca.h"

namespace convoy::tls {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string der(char tag, const std::string& content) {
  std::string result(1, tag);
  if (content.size() < 128) {
    result += static_cast<char>(content.size());
  } else if (content.size() < 256) {
    result += '\x81';
    result += static_cast<char>(content.size());
  } else {
    result += '\x82';
    result += static_cast<char>(content.size() >> 8);
    result += static_cast<char>(content.size() & 0xff);
  }
  return result + content;
}

// A response whose parts a case may replace.
struct Parts {
  std::string status = der('\x0a', std::string(1, '\0'));
  std::string type = der('\x06', "\x2b\x06\x01\x05\x05\x07\x30\x01\x01");
  std::string responder = der('\xa2', der('\x04', "key"));
  std::string produced = der('\x18', "20260101000000Z");
  std::string serial = der('\x02', "\x01\x02");
  std::string verdict = der('\x80', "");
  std::string this_update = der('\x18', "20260101000000Z");
  std::string next_update = der('\xa0', der('\x18', "20260108000000Z"));
  std::string more_singles = {};
  std::string signature = der('\x03', std::string("\0signature", 10));
  std::string certificates = {};
  std::string behind = {};

  std::string text() const {
    const std::string algorithm = der('\x30', der('\x06', "\x2b\x0e\x03\x02\x1a"));
    const std::string id =
        der('\x30', algorithm + der('\x04', "name") + der('\x04', "key") + serial);
    const std::string single = der('\x30', id + verdict + this_update + next_update);
    const std::string data = der('\x30', responder + produced + der('\x30', single + more_singles));
    const std::string basic = der('\x30', data + algorithm + signature + certificates);
    const std::string bytes = der('\xa0', der('\x30', type + der('\x04', basic)));
    return der('\x30', status + bytes) + behind;
  }
};

event::WallTime day(int number) {
  return event::WallTime(std::chrono::sys_days(std::chrono::year_month_day{
                                                   std::chrono::year(2026), std::chrono::January,
                                                   std::chrono::day(static_cast<unsigned>(number))})
                             .time_since_epoch());
}

TEST(OcspResponse, ReadsWhatOpensslMade) {
  const test::ShiftedClock clock;
  const auto response = parseOcspResponse(test::caFile("ecdsa.ocsp"));
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->status, OcspResponse::Status::Good);
  EXPECT_EQ(response->issuer_key_hash.size(), 20u);
  EXPECT_TRUE(response->validAt(clock.wallNow()));
  EXPECT_FALSE(response->validAt(clock.wallNow() + std::chrono::hours(24 * 8)));
  const auto revoked = parseOcspResponse(test::caFile("other.ocsp"));
  ASSERT_TRUE(revoked.ok()) << revoked.status();
  EXPECT_EQ(revoked->status, OcspResponse::Status::Revoked);
}

TEST(OcspResponse, ReadsTimesAndNames) {
  const auto response = parseOcspResponse(Parts().text());
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_EQ(response->serial, "\x01\x02");
  EXPECT_EQ(response->issuer_name_hash, "name");
  EXPECT_EQ(response->this_update, day(1));
  EXPECT_EQ(response->next_update, day(8));
  EXPECT_FALSE(response->validAt(day(1) - std::chrono::seconds(1)));
  EXPECT_TRUE(response->validAt(day(1)));
  EXPECT_TRUE(response->validAt(day(8) - std::chrono::seconds(1)));
  EXPECT_FALSE(response->validAt(day(8)));
}

TEST(OcspResponse, ReadsWhoSignedIt) {
  OcspSignature signature;
  const std::string by_key = Parts().text();
  ASSERT_TRUE(parseOcspResponse(by_key, &signature).ok());
  EXPECT_EQ(signature.by, OcspSignature::By::Key);
  EXPECT_EQ(signature.responder, "key");
  EXPECT_EQ(signature.algorithm, "\x2b\x0e\x03\x02\x1a");
  EXPECT_EQ(signature.bytes, "signature");
  EXPECT_TRUE(signature.certificates.empty());
  const std::string first = der('\x30', "1"), second = der('\x30', "22"), name = der('\x30', "n");
  const std::string by_name = Parts{.responder = der('\xa1', name),
                                    .certificates = der('\xa0', der('\x30', first + second))}
                                  .text();
  ASSERT_TRUE(parseOcspResponse(by_name, &signature).ok());
  EXPECT_EQ(signature.by, OcspSignature::By::Name);
  EXPECT_EQ(signature.responder, name);
  EXPECT_THAT(signature.certificates, ElementsAre(first, second));
}

TEST(OcspResponse, RefusesByPlaceAndRule) {
  const struct {
    std::string der;
    const char* message;
  } cases[] = {
      {"", "the outermost sequence"},
      {std::string(70'000, 'a'), "larger than"},
      {Parts{.behind = "x"}.text(), "the outermost sequence"},
      {Parts{.status = der('\x0a', "\x06")}.text(), "status is 6"},
      {der('\x30', der('\x0a', "\x01")), "status is 1"},
      {der('\x30', der('\x0a', std::string(1, '\0'))), "responseBytes"},
      {Parts{.type = der('\x06', "\x2b\x06")}.text(), "id-pkix-ocsp-basic"},
      {Parts{.responder = der('\xa3', "")}.text(), "tbsResponseData"},
      {Parts{.responder = der('\xa2', der('\x05', ""))}.text(), "tbsResponseData"},
      {Parts{.responder = der('\xa1', der('\x04', "key"))}.text(), "tbsResponseData"},
      {Parts{.responder = der('\xa2', der('\x04', "key") + "x")}.text(), "tbsResponseData"},
      {Parts{.produced = der('\x18', "20261301000000Z")}.text(), "producedAt"},
      {Parts{.produced = der('\x18', "20260101000000+")}.text(), "producedAt"},
      {Parts{.produced = der('\x18', "20260101246000Z")}.text(), "producedAt"},
      {Parts{.produced = der('\x18', "2026010100000Z")}.text(), "producedAt"},
      {Parts{.serial = der('\x02', "")}.text(), "the first of responses"},
      {Parts{.serial = der('\x04', "x")}.text(), "the first of responses"},
      {Parts{.verdict = der('\x83', "")}.text(), "the first of responses"},
      {Parts{.verdict = der('\x80', "x")}.text(), "the first of responses"},
      {Parts{.this_update = ""}.text(), "the first of responses"},
      {Parts{.next_update = der('\xa0', "")}.text(), "the first of responses"},
      {Parts{.next_update = ""}.text(), "no nextUpdate"},
      {Parts{.more_singles = der('\x30', "")}.text(), "several certificates"},
      {Parts{.signature = ""}.text(), "the signature"},
      {Parts{.signature = der('\x03', "")}.text(), "the signature"},
      {Parts{.signature = der('\x03', "\x01x")}.text(), "the signature"},
      {Parts{.certificates = der('\xa0', "")}.text(), "the signature"},
      {Parts{.certificates = der('\xa0', der('\x30', "") + "x")}.text(), "the signature"},
      {Parts{.certificates = der('\xa0', der('\x30', der('\x04', "x")))}.text(), "the signature"},
      {Parts{.certificates = der('\xa1', "")}.text(), "the signature"},
  };
  for (const auto& c : cases) {
    const auto response = parseOcspResponse(c.der);
    ASSERT_FALSE(response.ok()) << c.message;
    EXPECT_THAT(std::string(response.status().message()), HasSubstr(c.message));
  }
}

TEST(OcspResponse, RefusesEveryTruncation) {
  const std::string whole = test::caFile("ecdsa.ocsp");
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parseOcspResponse(std::string_view(whole).substr(0, size)).ok()) << size;
  }
}

}  // namespace
}  // namespace convoy::tls
