#include "proxy/grpc/status.h"

#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include <string>

namespace convoy::grpc {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(StatusTest, HttpStatusesBecomeGrpcCodes) {
  const struct {
    int http;
    absl::StatusCode code;
  } kCases[] = {
      {200, absl::StatusCode::kUnknown},          {302, absl::StatusCode::kUnknown},
      {400, absl::StatusCode::kInternal},         {401, absl::StatusCode::kUnauthenticated},
      {403, absl::StatusCode::kPermissionDenied}, {404, absl::StatusCode::kUnimplemented},
      {429, absl::StatusCode::kUnavailable},      {500, absl::StatusCode::kUnknown},
      {502, absl::StatusCode::kUnavailable},      {503, absl::StatusCode::kUnavailable},
      {504, absl::StatusCode::kUnavailable},
  };
  for (const auto& c : kCases) EXPECT_EQ(codeFromHttpStatus(c.http), c.code) << c.http;
}

TEST(StatusTest, Http2ErrorsBecomeGrpcCodes) {
  const struct {
    uint32_t error;
    absl::StatusCode code;
  } kCases[] = {
      {NGHTTP2_NO_ERROR, absl::StatusCode::kInternal},
      {NGHTTP2_PROTOCOL_ERROR, absl::StatusCode::kInternal},
      {NGHTTP2_FLOW_CONTROL_ERROR, absl::StatusCode::kInternal},
      {NGHTTP2_REFUSED_STREAM, absl::StatusCode::kUnavailable},
      {NGHTTP2_CANCEL, absl::StatusCode::kCancelled},
      {NGHTTP2_ENHANCE_YOUR_CALM, absl::StatusCode::kResourceExhausted},
      {NGHTTP2_INADEQUATE_SECURITY, absl::StatusCode::kPermissionDenied},
      {9999, absl::StatusCode::kInternal},
  };
  for (const auto& c : kCases) EXPECT_EQ(codeFromHttp2Error(c.error), c.code) << c.error;
}

TEST(StatusTest, CodesAreParsedStrictly) {
  const struct {
    const char* text;
    absl::StatusCode code;
  } kCases[] = {
      {"0", absl::StatusCode::kOk},
      {"14", absl::StatusCode::kUnavailable},
      {"16", absl::StatusCode::kUnauthenticated},
      {"17", absl::StatusCode::kUnknown},
      {"-1", absl::StatusCode::kUnknown},
      {"", absl::StatusCode::kUnknown},
      {"5x", absl::StatusCode::kUnknown},
      {"OK", absl::StatusCode::kUnknown},
      {"99999999999", absl::StatusCode::kUnknown},
  };
  for (const auto& c : kCases) EXPECT_EQ(parseCode(c.text), c.code) << c.text;
}

TEST(StatusTest, MessagesArePercentDecoded) {
  const struct {
    const char* encoded;
    const char* decoded;
  } kCases[] = {
      {"plain", "plain"}, {"a%20b", "a b"}, {"%E2%82%ac", "\xE2\x82\xAC"},
      {"100%25", "100%"}, {"100%", "100%"}, {"%2", "%2"},
      {"%zz%41", "%zzA"}, {"", ""},         {"%4%41", "%4A"},
  };
  for (const auto& c : kCases) EXPECT_EQ(percentDecode(c.encoded), c.decoded) << c.encoded;
}

TEST(StatusTest, WhatWasFoundInTheBytesIsTold) {
  const absl::Status said = absl::ResourceExhaustedError("the server's quota");
  EXPECT_FALSE(isFoundInBytes(said));
  EXPECT_FALSE(isFoundInBytes(absl::OkStatus()));
  const absl::Status found = foundInBytes(said);
  EXPECT_TRUE(isFoundInBytes(found));
  EXPECT_EQ(found.code(), said.code());
  EXPECT_EQ(found.message(), said.message());
}

TEST(StatusTest, TimeoutsAreRoundedUpAndFitEightDigits) {
  const struct {
    event::Duration timeout;
    const char* text;
  } kCases[] = {
      {nanoseconds(1), "1m"},
      {milliseconds(1), "1m"},
      {nanoseconds(1'000'001), "2m"},
      {seconds(5), "5000m"},
      {milliseconds(99'999'999), "99999999m"},
      {milliseconds(100'000'000), "100000S"},
      {hours(24 * 365 * 200), "99999999S"},
      {nanoseconds(-5), "1m"},
  };
  for (const auto& c : kCases) EXPECT_EQ(timeoutText(c.timeout), c.text);
}

}  // namespace
}  // namespace convoy::grpc
