#include "proxy/http/local_reply.h"

#include <gtest/gtest.h>

namespace convoy::http {
namespace {

TEST(LocalReplyTest, BuildsStatusTextAndHeaders) {
  struct Case {
    LocalReply reply;
    uint16_t status;
    std::string body;
    BodyLength::Kind kind;
  };
  LocalReply empty{
      .failure = Failure::DirectResponse, .status = 301, .location = "/x", .empty_body = true};
  const Case cases[] = {
      {{.failure = Failure::RouteNotFound},
       404,
       std::string(info(Failure::RouteNotFound).text),
       BodyLength::Kind::Known},
      {{.failure = Failure::DirectResponse, .status = 418, .body = "teapot"},
       418,
       "teapot",
       BodyLength::Kind::Known},
      {{.failure = Failure::DirectResponse, .status = 204, .body = "none"},
       204,
       "",
       BodyLength::Kind::None},
      {empty, 301, "", BodyLength::Kind::Known},
  };
  for (const Case& c : cases) {
    base::Arena arena;
    RequestHead request;
    ResponseHead head;
    EXPECT_EQ(buildLocalReply(c.reply, request, {}, arena, head), c.body);
    EXPECT_EQ(head.status, c.status);
    EXPECT_EQ(head.body.kind, c.kind);
    EXPECT_EQ(head.body.bytes, c.body.size());
    const HeaderField* location = head.headers.find("location");
    EXPECT_EQ(location != nullptr, !c.reply.location.empty());
  }
}

// RFC 3986 4.2; browsers take a backslash for a slash.
TEST(LocalReplyTest, ALocationThatIsAPathNamesNoHost) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"/x//y", "/x//y"},
      {"//evil.test", "/.//evil.test"},
      {"///evil.test", "/.///evil.test"},
      {"/\\evil.test", "/./\\evil.test"},
      {"http://a.test//x", "http://a.test//x"},
  };
  for (const auto& [location, written] : cases) {
    base::Arena arena;
    ResponseHead head;
    buildLocalReply({.failure = Failure::DirectResponse, .status = 307, .location = location}, {},
                    {}, arena, head);
    ASSERT_NE(head.headers.find("location"), nullptr);
    EXPECT_EQ(head.headers.find("location")->value, written);
  }
}

TEST(LocalReplyTest, AnswersGrpcInTrailersOnly) {
  const struct {
    LocalReply reply;
    std::string_view status, message;
  } cases[] = {
      {{.failure = Failure::RouteNotFound}, "12", "No route matches this request."},
      {{.failure = Failure::DirectResponse, .status = 403, .body = "50% off"}, "7", "50%25 off"},
      {{.failure = Failure::MaxStreamDuration},
       "4",
       "The request took too long (max_stream_duration)."},
      {{.failure = Failure::DirectResponse, .status = 503, .empty_body = true}, "14", ""},
  };
  for (const auto& c : cases) {
    base::Arena arena;
    RequestHead request;
    request.headers.add("content-type", "application/grpc+proto");
    ResponseHead head;
    EXPECT_EQ(buildLocalReply(c.reply, request, {}, arena, head), "");
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.body.kind, BodyLength::Kind::None);
    EXPECT_EQ(head.headers.find("content-type")->value, "application/grpc");
    EXPECT_EQ(head.headers.find("grpc-status")->value, c.status);
    const HeaderField* message = head.headers.find("grpc-message");
    EXPECT_EQ(message == nullptr ? "" : message->value, c.message);
  }
}

TEST(LocalReplyTest, WhatAsksForATunnelIsToldByTheStatus) {
  base::Arena arena;
  RequestHead request;
  request.upgrade = "websocket";
  request.headers.add("content-type", "application/grpc");
  ResponseHead head;
  buildLocalReply({.failure = Failure::UnsupportedUpgrade}, request, {}, arena, head);
  EXPECT_EQ(head.status, 403);
}

TEST(LocalReplyTest, SaysWhereTheTimeWasSet) {
  base::Arena arena;
  RequestHead request;
  ResponseHead head;
  const LocalReply late{.failure = Failure::UpstreamResponseTimeout};
  EXPECT_EQ(buildLocalReply(late, request, "envoy.yaml:31", arena, head),
            "The upstream host did not complete its response in time (the route's timeout). Set by "
            "envoy.yaml:31.\n");
  request.headers.add("content-type", "application/grpc");
  buildLocalReply(late, request, "envoy.yaml:31", arena, head);
  EXPECT_EQ(head.headers.find("grpc-message")->value,
            "The upstream host did not complete its response in time (the route's timeout). Set by "
            "envoy.yaml:31.");
}

TEST(LocalReplyTest, ARedirectIsOneForGrpcToo) {
  base::Arena arena;
  RequestHead request;
  request.headers.add("content-type", "application/grpc");
  ResponseHead head;
  buildLocalReply({.failure = Failure::DirectResponse, .status = 301, .location = "/x"}, request,
                  {}, arena, head);
  EXPECT_EQ(head.status, 301);
}

}  // namespace
}  // namespace convoy::http
