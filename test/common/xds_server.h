#pragma once

// A delta ADS server for tests: keeps resources, answers subscriptions with what they ask for, and
// writes down everything that its clients say. It does what it is told, sense or nonsense. On
// nghttp2 and the loop that it is given (no gRPC++), port 0, one thread; for a proxy that runs on
// other threads see ThreadedXdsServer below.

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/convoy/ext/resource_error.pb.h"
#include "envoy/service/discovery/v3/discovery.pb.h"
#include "google/protobuf/message.h"
#include "proxy/event/clock.h"
#include "proxy/event/loop.h"
#include "proxy/net/address.h"
#include "test/common/grpc_server.h"
#include "test/common/test_loop.h"

namespace convoy::test {

class XdsServer {
 public:
  using Request = envoy::service::discovery::v3::DeltaDiscoveryRequest;
  using Response = envoy::service::discovery::v3::DeltaDiscoveryResponse;

  struct Nack {
    std::string message;
    std::vector<ext::ResourceError> errors;
  };
  // What a stream said about one type.
  struct TypeState {
    bool asked = false;
    bool wildcard = false;
    std::set<std::string> names;                 // subscribed to by name
    std::map<std::string, std::string> initial;  // initial_resource_versions
    std::map<std::string, std::string> held;     // versions sent to it, or told by it
    std::vector<std::string> acks;               // nonces
    std::vector<Nack> nacks;
    std::vector<std::string> stray_nonces;  // answers to nothing that was sent
    int responses = 0;
  };
  struct Stream {
    size_t connection;
    int32_t id;
    bool open = true;
    envoy::config::core::v3::Node node;  // the last one told
    std::vector<Request> requests;
    std::map<std::string, TypeState> types;
    std::set<std::string> unanswered;  // nonces
  };

  explicit XdsServer(event::Loop& loop);

  const net::Address& address() const { return server_.address(); }
  GrpcServer& transport() { return server_; }

  // Resources. They reach the streams that want them at the next push(), those of a new
  // subscription at once. A version is made up for each set().
  void set(const std::string& name, const google::protobuf::Message& resource);
  void setAny(const std::string& name, const google::protobuf::Any& resource);
  void remove(const std::string& type_url, const std::string& name);
  // Sends each open stream what it has not got: clusters, endpoints, listeners, routes.
  void push();
  // Says nothing by itself any more, not even to new subscriptions.
  void fallSilent() { silent_ = true; }
  void speakAgain();
  // Names that do not exist yet are waited for: no word about them until they are set.
  void awaitMissing() { tells_missing_ = false; }

  // Streams so far, the oldest first. REQUIRES of the others: there is one.
  size_t streams() const { return streams_.size(); }
  const Stream& stream(size_t index) const { return streams_.at(index); }
  const Stream& last() const { return streams_.back(); }
  // What the last stream said about the type.
  const TypeState& type(const std::string& type_url) const;
  // Every answer on the last stream was given.
  bool settled() const;

  // Misbehaviour, on the last stream.
  void sendResponse(const Response& response);
  void sendMessage(std::string_view bytes);
  void endStream(int code, const std::string& message);
  void resetStream(uint32_t error_code);
  void closeConnection(bool reset = false);
  void goAway();
  void stopListening() { server_.stopListening(); }
  void listenAgain() { server_.listenAgain(); }

  // Called whenever a client said something.
  std::function<void()> on_change;

  template <class Message>
  static std::string urlOf() {
    return "type.googleapis.com/" + Message::descriptor()->full_name();
  }

 private:
  struct Resource {
    std::string version;
    google::protobuf::Any value;
  };

  void onConnection(size_t index, GrpcPeer& peer);
  void onMessage(size_t connection, int32_t id, const std::string& bytes);
  Stream& streamOf(size_t connection, int32_t id);
  void noteAnswer(Stream& stream, const Request& request);
  void noteNames(TypeState& type, const Request& request);
  void answer(Stream& stream, const std::string& type_url, const std::set<std::string>& fresh);
  void send(Stream& stream, const std::string& bytes);

  GrpcServer server_;
  bool silent_ = false;
  bool tells_missing_ = true;
  uint64_t versions_ = 0;
  uint64_t nonces_ = 0;
  std::map<std::string, std::map<std::string, Resource>> resources_;  // by type, by name
  std::vector<Stream> streams_;
};

// An XdsServer on a thread of its own.
class ThreadedXdsServer {
 public:
  ThreadedXdsServer();
  ~ThreadedXdsServer();

  net::Address address();
  // Runs on the server's thread, and waits.
  void run(const std::function<void(XdsServer&)>& task);
  // True once the condition holds; it is tried, on the server's thread, whenever a client said
  // something. False after kPatience; `what` is for the message of the assertion around it.
  [[nodiscard]] bool waitFor(std::string_view what,
                             const std::function<bool(XdsServer&)>& condition);

 private:
  event::SystemClock clock_;
  LoopThread thread_{clock_, "xds-server"};
  std::unique_ptr<XdsServer> server_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t changes_ = 0;  // guarded by mutex_
};

}  // namespace convoy::test
