// A client of gRPC C++ for tests: client ADDRESS CALL [NUMBER]. Says what came of the call on one
// line; exits with 0 unless the call's bytes were not those expected.
//
//   unary N          N calls one after the other: the servers' names, and how often each
//   collect N        N requests of 1 KiB: the reply
//   repeat N         N replies of 1 KiB
//   chat N           N requests, each answered before the next
//   large N          one request of N bytes, and its echo
//   status N         a call that ends with that status and no reply
//   deadline N       a call that is never answered, and the client's deadline in milliseconds
//   method           a call that the server does not know

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "test/interop/grpc/echo.grpc.pb.h"

namespace convoy::test {
namespace {

constexpr size_t kMessage = 1024;

class Client {
 public:
  explicit Client(const std::string& address) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    channel_ = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
    stub_ = Echo::NewStub(channel_);
    // The longest that any call may take on a busy machine.
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  }

  int unary(int count) {
    std::map<std::string, int> servers;
    for (int i = 0; i < count; ++i) {
      grpc::ClientContext context;
      Request request;
      request.set_text(std::to_string(i));
      Reply reply;
      const grpc::Status status = stub_->Unary(&context, request, &reply);
      if (!status.ok()) return say(status);
      if (reply.text() != request.text()) return wrong();
      ++servers[reply.server()];
    }
    for (const auto& [name, times] : servers) std::printf("%s=%d ", name.c_str(), times);
    return say(grpc::Status::OK);
  }
  int collect(int count) {
    Reply reply;
    auto writer = stub_->Collect(&context_, &reply);
    Request request;
    request.set_text(std::string(kMessage, 'c'));
    for (int i = 0; i < count && writer->Write(request); ++i) {
    }
    writer->WritesDone();
    const grpc::Status status = writer->Finish();
    const bool whole = reply.count() == static_cast<uint32_t>(count) &&
                       reply.text().size() == kMessage * static_cast<size_t>(count);
    return status.ok() && !whole ? wrong() : say(status);
  }
  int repeat(int count) {
    Request request;
    request.set_text(std::string(kMessage, 'r'));
    request.set_count(static_cast<uint32_t>(count));
    auto reader = stub_->Repeat(&context_, request);
    Reply reply;
    uint32_t replies = 0;
    while (reader->Read(&reply)) {
      if (reply.count() != replies++ || reply.text() != request.text()) return wrong();
    }
    const grpc::Status status = reader->Finish();
    return status.ok() && replies != request.count() ? wrong() : say(status);
  }
  int chat(int count) {
    auto peer = stub_->Chat(&context_);
    for (int i = 0; i < count; ++i) {
      Request request;
      request.set_text(std::to_string(i));
      Reply reply;
      if (!peer->Write(request) || !peer->Read(&reply)) break;
      if (reply.text() != request.text()) return wrong();
    }
    peer->WritesDone();
    return say(peer->Finish());
  }
  int large(int bytes) {
    Request request;
    request.set_text(std::string(static_cast<size_t>(bytes), 'l'));
    Reply reply;
    const grpc::Status status = stub_->Unary(&context_, request, &reply);
    return status.ok() && reply.text() != request.text() ? wrong() : say(status);
  }
  int status(int code) {
    Request request;
    request.set_status(static_cast<uint32_t>(code));
    request.set_text("as you said: 100% \xc3\xa9");
    Reply reply;
    return say(stub_->Unary(&context_, request, &reply));
  }
  int deadline(int milliseconds) {
    context_.set_deadline(std::chrono::system_clock::now() +
                          std::chrono::milliseconds(milliseconds));
    Request request;
    request.set_hang(true);
    Reply reply;
    return say(stub_->Unary(&context_, request, &reply));
  }
  int method() {
    grpc::internal::RpcMethod unknown("/convoy.test.Echo/Unknown",
                                      grpc::internal::RpcMethod::NORMAL_RPC, channel_);
    Reply reply;
    return say(grpc::internal::BlockingUnaryCall<Request, Reply>(channel_.get(), unknown, &context_,
                                                                 Request(), &reply));
  }

 private:
  static int say(const grpc::Status& status) {
    std::printf("status=%d %s\n", static_cast<int>(status.error_code()),
                status.error_message().c_str());
    return 0;
  }
  static int wrong() {
    std::puts("wrong bytes");
    return 1;
  }

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Echo::Stub> stub_;
  grpc::ClientContext context_;
};

int run(const std::string& address, std::string_view call, int number) {
  Client client(address);
  if (call == "unary") return client.unary(number);
  if (call == "collect") return client.collect(number);
  if (call == "repeat") return client.repeat(number);
  if (call == "chat") return client.chat(number);
  if (call == "large") return client.large(number);
  if (call == "status") return client.status(number);
  if (call == "deadline") return client.deadline(number);
  if (call == "method") return client.method();
  return 2;
}

}  // namespace
}  // namespace convoy::test

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  return convoy::test::run(argv[1], argv[2], argc > 3 ? std::atoi(argv[3]) : 0);
}
