// A server of gRPC C++ for tests: server NAME. Listens on a free port of 127.0.0.1 and says so;
// runs until its standard input ends. When a call that hangs is cancelled it says that, too.

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "test/interop/grpc/echo.grpc.pb.h"

namespace convoy::test {
namespace {

class Unary final : public grpc::ServerUnaryReactor {
 public:
  Unary(const std::string& name, const Request& request, Reply* reply) : hangs_(request.hang()) {
    if (hangs_) return;
    if (request.status() != 0) {
      Finish(grpc::Status(static_cast<grpc::StatusCode>(request.status()), request.text()));
      return;
    }
    reply->set_text(request.text());
    reply->set_server(name);
    Finish(grpc::Status::OK);
  }
  void OnCancel() override {
    if (!hangs_) return;
    std::puts("cancelled");
    std::fflush(stdout);
    Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

 private:
  const bool hangs_;
};

class Service final : public Echo::WithCallbackMethod_Unary<Echo::Service> {
 public:
  explicit Service(std::string name) : name_(std::move(name)) {}

  grpc::ServerUnaryReactor* Unary(grpc::CallbackServerContext*, const Request* request,
                                  Reply* reply) override {
    return new test::Unary(name_, *request, reply);
  }
  grpc::Status Collect(grpc::ServerContext*, grpc::ServerReader<Request>* reader,
                       Reply* reply) override {
    Request request;
    while (reader->Read(&request)) {
      reply->mutable_text()->append(request.text());
      reply->set_count(reply->count() + 1);
    }
    reply->set_server(name_);
    return grpc::Status::OK;
  }
  grpc::Status Repeat(grpc::ServerContext*, const Request* request,
                      grpc::ServerWriter<Reply>* writer) override {
    Reply reply;
    reply.set_text(request->text());
    reply.set_server(name_);
    for (uint32_t i = 0; i < request->count(); ++i) {
      reply.set_count(i);
      if (!writer->Write(reply)) break;
    }
    return grpc::Status::OK;
  }
  grpc::Status Chat(grpc::ServerContext*, grpc::ServerReaderWriter<Reply, Request>* peer) override {
    Request request;
    Reply reply;
    reply.set_server(name_);
    while (peer->Read(&request)) {
      reply.set_text(request.text());
      if (!peer->Write(reply)) break;
    }
    return grpc::Status::OK;
  }

 private:
  const std::string name_;
};

int run(const std::string& name) {
  Service service(name);
  int port = 0;
  // grpc.health.v1.Health of gRPC's own.
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(-1);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  std::printf("listening on 127.0.0.1:%d\n", port);
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}

}  // namespace
}  // namespace convoy::test

int main(int argc, char** argv) {
  return argc == 2 ? convoy::test::run(argv[1]) : 2;
}
