// What convoy-control and convoyctl link, in one process: gRPC++ with its OpenSSL, and SQLite.

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <sqlite3.h>

#include <memory>
#include <string>

#include "test/third_party/echo.grpc.pb.h"

namespace convoy::test {
namespace {

class EchoService final : public Echo::Service {
  grpc::Status Call(grpc::ServerContext*, const EchoMessage* request,
                    EchoMessage* response) override {
    *response = *request;
    return grpc::Status::OK;
  }
};

TEST(ControlPlaneLibraries, GrpcCallReturns) {
  EchoService service;
  grpc::ServerBuilder builder;
  builder.RegisterService(&service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);
  std::unique_ptr<Echo::Stub> stub = Echo::NewStub(server->InProcessChannel({}));
  grpc::ClientContext context;
  EchoMessage request;
  request.set_text("hello");
  request.mutable_delay()->set_seconds(2);
  EchoMessage response;
  const grpc::Status status = stub->Call(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.text(), "hello");
  EXPECT_EQ(response.delay().seconds(), 2);
  server->Shutdown();
}

TEST(ControlPlaneLibraries, OpenSslIsTheOneThatRuns) {
  EXPECT_EQ(std::string(OpenSSL_version(OPENSSL_VERSION)).rfind("OpenSSL 3", 0), 0u);
}

TEST(ControlPlaneLibraries, SqliteOpensAndAnswers) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(":memory:", &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, "CREATE TABLE t(a); INSERT INTO t VALUES (1);", nullptr, nullptr,
                         nullptr),
            SQLITE_OK);
  EXPECT_EQ(sqlite3_total_changes(database), 1);
  sqlite3_close(database);
}

}  // namespace
}  // namespace convoy::test
