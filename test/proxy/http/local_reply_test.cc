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
    EXPECT_EQ(buildLocalReply(c.reply, request, arena, head), c.body);
    EXPECT_EQ(head.status, c.status);
    EXPECT_EQ(head.body.kind, c.kind);
    EXPECT_EQ(head.body.bytes, c.body.size());
    const HeaderField* location = head.headers.find("location");
    EXPECT_EQ(location != nullptr, !c.reply.location.empty());
  }
}

}  // namespace
}  // namespace convoy::http
