#pragma once

// A Client and a GrpcServer on one loop, on simulated time.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <utility>

#include "proxy/grpc/client.h"
#include "test/common/grpc_server.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"
#include "test/proxy/grpc/wire.h"

namespace convoy::grpc {

class ClientFixture : public testing::Test {
 protected:
  ClientFixture() { clock.attach(test_loop.loop()); }
  ~ClientFixture() override {
    client.reset();
    server.reset();
    test_loop.runReady();
    clock.detach(test_loop.loop());
  }

  void makeClient(ClientOptions options) {
    client = std::make_unique<Client>(loop, std::move(options));
  }
  ClientOptions options() { return {.addresses = {server->address()}, .authority = "control"}; }
  void start(RecordingStream& handler, CallOptions call = {.path = "/s/m"}) {
    handler.stream = client->startStream(std::move(call), handler);
  }
  [[nodiscard]] bool until(const std::function<bool()>& condition) {
    server->flush();
    return test_loop.runUntil(condition);
  }
  // The server has seen `calls` calls on its connection `index`.
  [[nodiscard]] bool untilCalls(size_t calls, size_t index = 0) {
    return until([this, calls, index] {
      return server->accepted() > index && server->peer(index).calls().size() >= calls;
    });
  }

  test::SimulatedClock clock;
  test::TestLoop test_loop{clock};
  event::Loop& loop = test_loop.loop();
  std::unique_ptr<test::GrpcServer> server = std::make_unique<test::GrpcServer>(loop);
  std::unique_ptr<Client> client;
};

}  // namespace convoy::grpc
