#pragma once

// A control plane in this process, on a free port of the loopback, for tests of its services: the
// real server, and clients of it.

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "api/convoy/v1/config_service.grpc.pb.h"
#include "api/convoy/v1/fleet_service.grpc.pb.h"
#include "controlplane/server.h"
#include "controlplane/validate/xds_check.h"
#include "gtest/gtest.h"
#include "test/common/test_ca.h"
#include "test/controlplane/common/ads_client.h"
#include "test/controlplane/common/config_text.h"
#include "test/controlplane/common/temporary_folder.h"

namespace convoy::controlplane {

class ControlPlaneTest : public testing::Test {
 protected:
  static constexpr char kTenLines[] = R"(
    listeners { name: "public" address: "0.0.0.0:8080" routes { pool: "web" } }
    pools { name: "web" backends { address: "10.0.0.1:80" } backends { address: "10.0.0.2:80" } })";

  ControlPlaneTest() { start(); }

  // Starts it, or starts it again on the same store.
  void start() {
    server_.reset();
    auto server =
        Server::start(options(), &clock_, [this](const google::protobuf::Message& message) {
          return check_ ? check_(message) : std::vector<ext::ResourceError>();
        });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = std::move(*server);
    const auto channel =
        grpc::CreateChannel(server_->management().text(), grpc::InsecureChannelCredentials());
    config_ = v1::ConfigService::NewStub(channel);
    fleet_ = v1::FleetService::NewStub(channel);
  }

  ServerOptions options() const {
    return {.store = folder_.file("convoy.db"),
            .management = "127.0.0.1:0",
            .xds = "127.0.0.1:0",
            .clock_look = std::chrono::milliseconds(10)};
  }

  std::unique_ptr<AdsClient> node(const std::string& id,
                                  const std::map<std::string, std::string>& labels = {}) {
    return std::make_unique<AdsClient>(server_->xds().text(), id, labels);
  }

  // Every call is bounded in time.
  static std::unique_ptr<grpc::ClientContext> context() {
    auto context = std::make_unique<grpc::ClientContext>();
    const gpr_timespec patience = gpr_time_from_seconds(20, GPR_TIMESPAN);
    context->set_deadline(patience);
    return context;
  }

  grpc::Status apply(const v1::ApplyRequest& request, v1::ApplyResponse* response = nullptr) {
    v1::ApplyResponse ignored;
    return config_->Apply(context().get(), request, response != nullptr ? response : &ignored);
  }
  grpc::Status apply(const std::string& config, v1::ApplyResponse* response = nullptr) {
    v1::ApplyRequest request;
    *request.mutable_config() = parse<v1::Config>(config);
    return apply(request, response);
  }

  test::ShiftedClock clock_;
  TemporaryFolder folder_;
  validate::XdsCheck check_;  // what the nodes' validator says; none: everything passes
  std::unique_ptr<Server> server_;
  std::unique_ptr<v1::ConfigService::Stub> config_;
  std::unique_ptr<v1::FleetService::Stub> fleet_;
};

}  // namespace convoy::controlplane
