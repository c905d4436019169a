#include "proxy/grpc/unary_call.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

#include "test/proxy/grpc/client_fixture.h"

namespace convoy::grpc {
namespace {

using UnaryCallTest = ClientFixture;

TEST_F(UnaryCallTest, EveryOutcomeIsTold) {
  using Act = std::function<void(test::GrpcPeer&, int32_t)>;
  const struct {
    const char* what;
    Act act;
    absl::StatusCode code;
    const char* text;
  } kCases[] = {
      {"answered", [](auto& peer, int32_t id) { peer.send(id, "yes"), peer.finish(id, 0); },
       absl::StatusCode::kOk, "yes"},
      {"an empty answer", [](auto& peer, int32_t id) { peer.send(id, ""), peer.finish(id, 0); },
       absl::StatusCode::kOk, ""},
      {"refused", [](auto& peer, int32_t id) { peer.finish(id, 7, "no"); },
       absl::StatusCode::kPermissionDenied, "no"},
      {"an error after a message",
       [](auto& peer, int32_t id) { peer.send(id, "yes"), peer.finish(id, 13, "broke"); },
       absl::StatusCode::kInternal, "broke"},
      {"no message", [](auto& peer, int32_t id) { peer.finish(id, 0); },
       absl::StatusCode::kInternal, "the peer ended a unary call without a message"},
      {"two messages",
       [](auto& peer, int32_t id) { peer.send(id, "a"), peer.send(id, "b"), peer.finish(id, 0); },
       absl::StatusCode::kInternal, "the peer sent several messages in a unary call"},
  };
  makeClient(options());
  size_t calls = 0;
  for (const auto& c : kCases) {
    std::optional<absl::StatusOr<std::string>> result;
    std::unique_ptr<UnaryCall> call;
    call = std::make_unique<UnaryCall>(*client, CallOptions{.path = "/s/m"}, "question",
                                       [&](absl::StatusOr<std::string> response) {
                                         result = std::move(response);
                                         call.reset();
                                       });
    ASSERT_TRUE(untilCalls(++calls)) << c.what;
    const int32_t id = server->peer(0).calls().back();
    ASSERT_TRUE(until([&] { return server->peer(0).call(id).ended; })) << c.what;
    EXPECT_EQ(server->peer(0).call(id).messages, std::vector<std::string>{"question"});
    c.act(server->peer(0), id);
    ASSERT_TRUE(until([&] { return result.has_value(); })) << c.what;
    EXPECT_EQ(result->status().code(), c.code) << c.what;
    EXPECT_EQ(result->ok() ? **result : std::string(result->status().message()), c.text) << c.what;
  }
}

TEST_F(UnaryCallTest, DestroyingItCancels) {
  makeClient(options());
  bool told = false;
  auto call = std::make_unique<UnaryCall>(*client, CallOptions{.path = "/s/m"}, "question",
                                          [&](const auto&) { told = true; });
  ASSERT_TRUE(untilCalls(1));
  call.reset();
  ASSERT_TRUE(until([&] { return server->peer(0).onlyCall().reset.has_value(); }));
  EXPECT_FALSE(told);
}

}  // namespace
}  // namespace convoy::grpc
