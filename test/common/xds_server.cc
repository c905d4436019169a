#include "test/common/xds_server.h"

#include <cstdio>

#include "proxy/base/assert.h"

namespace convoy::test {

namespace {

// Make before break: what others refer to comes first.
std::vector<std::string> inOrder(const std::map<std::string, XdsServer::TypeState>& types) {
  static constexpr const char* kFirst[] = {
      "type.googleapis.com/envoy.config.cluster.v3.Cluster",
      "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
      "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
      "type.googleapis.com/envoy.config.listener.v3.Listener",
      "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
  };
  std::vector<std::string> order;
  for (const char* type : kFirst) {
    if (types.contains(type)) order.emplace_back(type);
  }
  return order;
}

}  // namespace

XdsServer::XdsServer(event::Loop& loop) : server_(loop) {
  server_.on_connection = [this](size_t index, GrpcPeer& peer) { onConnection(index, peer); };
}

void XdsServer::onConnection(size_t index, GrpcPeer& peer) {
  peer.on_message = [this, index](int32_t id, const std::string& bytes) {
    onMessage(index, id, bytes);
    if (on_change) on_change();
  };
  peer.on_closed = [this, index](int32_t id) {
    for (Stream& stream : streams_) {
      if (stream.connection == index && stream.id == id) stream.open = false;
    }
    if (on_change) on_change();
  };
}

XdsServer::Stream& XdsServer::streamOf(size_t connection, int32_t id) {
  for (Stream& stream : streams_) {
    if (stream.connection == connection && stream.id == id) return stream;
  }
  streams_.push_back({.connection = connection,
                      .id = id,
                      .open = true,
                      .node = {},
                      .requests = {},
                      .types = {},
                      .unanswered = {}});
  return streams_.back();
}

void XdsServer::onMessage(size_t connection, int32_t id, const std::string& bytes) {
  Stream& stream = streamOf(connection, id);
  Request request;
  CONVOY_ASSERT(request.ParseFromString(bytes));
  stream.requests.push_back(request);
  if (request.has_node()) stream.node = request.node();
  if (!request.response_nonce().empty()) noteAnswer(stream, request);
  TypeState& type = stream.types[request.type_url()];
  // An answer about a type that was never asked for asks for nothing.
  if (!type.asked && !request.response_nonce().empty()) return;
  const bool first = !type.asked;
  noteNames(type, request);
  if (silent_) return;
  const std::set<std::string> fresh(request.resource_names_subscribe().begin(),
                                    request.resource_names_subscribe().end());
  // The first answer to a wildcard is given even if it is empty.
  if (first || !fresh.empty()) answer(stream, request.type_url(), fresh);
}

void XdsServer::noteAnswer(Stream& stream, const Request& request) {
  TypeState& type = stream.types[request.type_url()];
  if (stream.unanswered.erase(request.response_nonce()) == 0) {
    type.stray_nonces.push_back(request.response_nonce());
  } else if (!request.has_error_detail()) {
    type.acks.push_back(request.response_nonce());
  } else {
    Nack nack{.message = request.error_detail().message(), .errors = {}};
    for (const google::protobuf::Any& detail : request.error_detail().details()) {
      ext::ResourceError error;
      if (detail.UnpackTo(&error)) nack.errors.push_back(std::move(error));
    }
    type.nacks.push_back(std::move(nack));
  }
}

void XdsServer::noteNames(TypeState& type, const Request& request) {
  if (!type.asked) {
    type.asked = true;
    type.wildcard = request.resource_names_subscribe().empty();
    type.initial = {request.initial_resource_versions().begin(),
                    request.initial_resource_versions().end()};
    type.held = type.initial;
  }
  for (const std::string& name : request.resource_names_subscribe()) {
    type.names.insert(name);
    type.held.erase(name);  // sent anew, even if it is held
  }
  for (const std::string& name : request.resource_names_unsubscribe()) {
    type.names.erase(name);
    type.held.erase(name);
  }
}

// Sends the difference between what the stream wants and what it holds. `fresh` names that do not
// exist are told as removed, unless they are awaited.
void XdsServer::answer(Stream& stream, const std::string& type_url,
                       const std::set<std::string>& fresh) {
  TypeState& type = stream.types[type_url];
  const std::map<std::string, Resource>& existing = resources_[type_url];
  // A reconnecting client tells what it holds and asks for it by name; that is no new interest.
  for (const std::string& name : fresh) {
    const auto told = type.initial.find(name);
    if (type.responses == 0 && told != type.initial.end()) type.held[name] = told->second;
  }
  Response response;
  for (const auto& [name, resource] : existing) {
    if (!type.wildcard && !type.names.contains(name)) continue;
    const auto held = type.held.find(name);
    if (held != type.held.end() && held->second == resource.version) continue;
    envoy::service::discovery::v3::Resource* added = response.add_resources();
    added->set_name(name);
    added->set_version(resource.version);
    *added->mutable_resource() = resource.value;
    type.held[name] = resource.version;
  }
  for (const auto& [name, version] : std::map(type.held)) {
    if (existing.contains(name)) continue;
    response.add_removed_resources(name);
    type.held.erase(name);
  }
  for (const std::string& name : fresh) {
    if (tells_missing_ && !existing.contains(name)) response.add_removed_resources(name);
  }
  const bool first_of_wildcard = type.wildcard && type.responses == 0;
  if (response.resources().empty() && response.removed_resources().empty() && !first_of_wildcard) {
    return;
  }
  response.set_type_url(type_url);
  response.set_nonce("nonce-" + std::to_string(++nonces_));
  response.set_system_version_info(std::to_string(versions_));
  ++type.responses;
  stream.unanswered.insert(response.nonce());
  send(stream, response.SerializeAsString());
}

void XdsServer::send(Stream& stream, const std::string& bytes) {
  server_.peer(stream.connection).send(stream.id, bytes);
  server_.flush();
}

void XdsServer::set(const std::string& name, const google::protobuf::Message& resource) {
  google::protobuf::Any any;
  any.PackFrom(resource);
  setAny(name, any);
}

void XdsServer::setAny(const std::string& name, const google::protobuf::Any& resource) {
  resources_[resource.type_url()][name] = {"v" + std::to_string(++versions_), resource};
}

void XdsServer::remove(const std::string& type_url, const std::string& name) {
  resources_[type_url].erase(name);
  ++versions_;
}

void XdsServer::push() {
  for (Stream& stream : streams_) {
    if (!stream.open || !server_.alive(stream.connection)) continue;
    for (const std::string& type_url : inOrder(stream.types)) answer(stream, type_url, {});
  }
}

void XdsServer::speakAgain() {
  silent_ = false;
  push();
}

const XdsServer::TypeState& XdsServer::type(const std::string& type_url) const {
  static const TypeState kNothing;
  if (streams_.empty()) return kNothing;
  const auto found = last().types.find(type_url);
  return found == last().types.end() ? kNothing : found->second;
}

bool XdsServer::settled() const {
  return !streams_.empty() && last().unanswered.empty();
}

void XdsServer::sendResponse(const Response& response) {
  streams_.back().unanswered.insert(response.nonce());
  send(streams_.back(), response.SerializeAsString());
}

void XdsServer::sendMessage(std::string_view bytes) {
  send(streams_.back(), std::string(bytes));
}

void XdsServer::endStream(int code, const std::string& message) {
  server_.peer(last().connection).finish(last().id, code, message);
  server_.flush();
}

void XdsServer::resetStream(uint32_t error_code) {
  server_.peer(last().connection).reset(last().id, error_code);
  server_.flush();
}

void XdsServer::closeConnection(bool reset) {
  server_.closeConnection(last().connection, reset);
}

void XdsServer::goAway() {
  server_.peer(last().connection).goAway(NGHTTP2_NO_ERROR, "test");
  server_.flush();
}

ThreadedXdsServer::ThreadedXdsServer() {
  thread_.run([this] {
    server_ = std::make_unique<XdsServer>(thread_.loop());
    server_->on_change = [this] {
      {
        const std::lock_guard lock(mutex_);
        ++changes_;
      }
      changed_.notify_all();
    };
  });
}

ThreadedXdsServer::~ThreadedXdsServer() {
  thread_.run([this] { server_.reset(); });
}

net::Address ThreadedXdsServer::address() {
  net::Address address;
  run([&](XdsServer& server) { address = server.address(); });
  return address;
}

void ThreadedXdsServer::run(const std::function<void(XdsServer&)>& task) {
  thread_.run([this, &task] { task(*server_); });
}

bool ThreadedXdsServer::waitFor(std::string_view what,
                                const std::function<bool(XdsServer&)>& condition) {
  uint64_t seen = 0;
  while (true) {
    bool holds = false;
    run([&](XdsServer& server) {
      {
        const std::lock_guard lock(mutex_);
        seen = changes_;
      }
      holds = condition(server);
    });
    if (holds) return true;
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [&] { return changes_ != seen; })) {
      std::fprintf(stderr, "xds server: gave up waiting for: %.*s\n", static_cast<int>(what.size()),
                   what.data());
      return false;
    }
  }
}

}  // namespace convoy::test
