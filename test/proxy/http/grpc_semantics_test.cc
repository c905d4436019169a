#include "proxy/http/grpc_semantics.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace convoy::http {
namespace {

using namespace std::chrono_literals;

TEST(GrpcSemanticsTest, KnowsItsRequests) {
  const std::pair<std::string_view, bool> cases[] = {
      {"application/grpc", true},      {"application/grpc+proto", true},
      {"Application/GRPC+json", true}, {"application/grpc;charset=utf-8", true},
      {"application/grpc-web", false}, {"application/grpc-web+proto", false},
      {"application/grp", false},      {"", false},
      {"text/plain", false},           {"application/grpcx", false},
  };
  for (const auto& [type, is_grpc] : cases) {
    RequestHead head;
    head.headers.add("Content-Type", type);
    EXPECT_EQ(isGrpc(head), is_grpc) << type;
  }
  EXPECT_FALSE(isGrpc(RequestHead()));
}

TEST(GrpcSemanticsTest, ReadsTimeouts) {
  const std::pair<std::string_view, std::optional<event::Duration>> cases[] = {
      {"1H", 1h},
      {"2M", 2min},
      {"3S", 3s},
      {"4m", 4ms},
      {"5u", 5us},
      {"6n", 6ns},
      {"0S", 0s},
      {"99999999S", 99999999s},
      {"00000001S", 1s},
      {"1", std::nullopt},
      {"S", std::nullopt},
      {"", std::nullopt},
      {"1s", std::nullopt},
      {"-1S", std::nullopt},
      {"+1S", std::nullopt},
      {"1.5S", std::nullopt},
      {"1 S", std::nullopt},
      {"123456789n", std::nullopt},
  };
  for (const auto& [value, expected] : cases) {
    RequestHead head;
    head.headers.add("grpc-timeout", value);
    EXPECT_EQ(grpcTimeout(head), expected) << value;
  }
  EXPECT_EQ(grpcTimeout(RequestHead()), std::nullopt);
  RequestHead longest;
  longest.headers.add("grpc-timeout", "99999999H");
  EXPECT_EQ(grpcTimeout(longest), event::Duration(100 * 365 * 24h)) << "and no overflow";
}

TEST(GrpcSemanticsTest, ReadsAStatus) {
  const std::pair<std::string_view, std::optional<uint8_t>> cases[] = {
      {"0", uint8_t{0}},  {"14", uint8_t{14}},  {"255", uint8_t{255}}, {"256", std::nullopt},
      {"", std::nullopt}, {"-1", std::nullopt}, {"ok", std::nullopt},  {"0000", std::nullopt},
  };
  for (const auto& [value, expected] : cases) {
    HeaderList fields;
    fields.add("Grpc-Status", value);
    EXPECT_EQ(grpcStatus(fields), expected) << value;
  }
  EXPECT_EQ(grpcStatus(HeaderList()), std::nullopt);
}

TEST(GrpcSemanticsTest, MapsWhatHttpSaid) {
  const std::pair<uint16_t, std::string_view> cases[] = {
      {400, "INTERNAL"},      {401, "UNAUTHENTICATED"}, {403, "PERMISSION_DENIED"},
      {404, "UNIMPLEMENTED"}, {429, "UNAVAILABLE"},     {502, "UNAVAILABLE"},
      {503, "UNAVAILABLE"},   {504, "UNAVAILABLE"},     {413, "UNKNOWN"},
      {200, "UNKNOWN"},       {500, "UNKNOWN"},
  };
  for (const auto& [status, name] : cases) {
    EXPECT_EQ(grpcStatusSnakeName(grpcStatusOf(status, Failure::FilterReply)), name) << status;
  }
  EXPECT_EQ(grpcStatusName(grpcStatusOf(504, Failure::MaxStreamDuration)), "DeadlineExceeded");
  EXPECT_EQ(grpcStatusName(0), "OK");
  EXPECT_EQ(grpcStatusName(17), "");
  EXPECT_EQ(grpcStatusSnakeName(17), "");
}

TEST(GrpcSemanticsTest, StatusesOfGrpcAsStatusesOfHttp) {
  const std::pair<int, int> kCases[] = {{0, 200},  {1, 499},  {4, 504},  {8, 429},
                                        {13, 500}, {14, 503}, {16, 401}, {17, 500}};
  for (const auto& [grpc, http] : kCases) {
    EXPECT_EQ(httpStatusOf(static_cast<uint8_t>(grpc)), http) << grpc;
  }
}

TEST(GrpcSemanticsTest, EncodesMessages) {
  base::Arena arena;
  EXPECT_EQ(grpcMessage("plain text", arena), "plain text");
  EXPECT_EQ(grpcMessage("100%\r\n\xc3\xa9", arena), "100%25%0D%0A%C3%A9");
  EXPECT_EQ(grpcMessage("", arena), "");
}

}  // namespace
}  // namespace convoy::http
