// Responses of a control plane from untrusted bytes, through everything that a node does with them
// short of the network: envelope, conversion, warming, answer. The input is a series of steps, each
// a byte that says which type the response is about (and whether the stream is new, or time
// passes), two bytes of length, and the response.
//
// Whatever they are: every response has one answer that is protobuf and that a server can take,
// every resource ends up as a spec or an error, and nothing that was refused reaches what is to be
// put in force.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/stubs/logging.h"
#include "proxy/base/assert.h"
#include "proxy/config/builtins.h"
#include "proxy/config/resources.h"
#include "proxy/xds/decoder.h"
#include "proxy/xds/subscription.h"
#include "proxy/xds/warming.h"

namespace convoy::xds {
namespace {

using Interest = Subscription::Interest;

class Node {
 public:
  Node() {
    warming_.start(now_);
    for (Subscription& type : types_) type.onStreamStarted();
    say();
  }

  void onStreamStarted() {
    asked_.clear();
    for (Subscription& type : types_) type.onStreamStarted();
    say();
  }
  void onTimePassed() {
    now_ += std::chrono::seconds(20);
    (void)warming_.settle(now_);
    follow();
    say();
  }

  void onResponse(size_t kind, std::string_view bytes) {
    DeltaResponse response;
    if (!response.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
    Subscription& type = types_[kind];
    const Update update = type.onResponse(response);
    std::vector<ext::ResourceError> errors = take(kind, update);
    std::set<std::string> refused;
    for (const ext::ResourceError& error : errors) refused.insert(error.name());
    check(warming_.settle(now_), kind, refused);
    const size_t count = errors.size();
    const std::vector<ext::ResourceError> all = type.finish(std::move(errors));
    CONVOY_ASSERT(all.size() >= count);
    for (const ext::ResourceError& error : all) CONVOY_ASSERT(!error.reason().empty());
    follow();
    answered_ = false;
    expected_ = &response;
    const bool asked_before = asked_.contains(type.typeUrl());
    say();
    CONVOY_ASSERT(answered_ || !asked_before);
    expected_ = nullptr;
  }

 private:
  enum Kind : size_t { Clusters, Assignments, Listeners, RouteTables };

  template <class Decoded, class Put>
  std::vector<ext::ResourceError> keep(const Update& update, Decoded decoded, Put put) {
    CONVOY_ASSERT(decoded.specs.size() + decoded.errors.size() == update.changed.size());
    CONVOY_ASSERT(decoded.notes.size() == decoded.specs.size());
    for (auto& spec : decoded.specs) put(std::move(spec));
    return std::move(decoded.errors);
  }

  std::vector<ext::ResourceError> take(size_t kind, const Update& update) {
    config::Context context;
    context.registry = &config::builtins();
    if (kind == Clusters) {
      auto errors = keep(update, decodeClusters(update, context),
                         [this](auto spec) { warming_.putCluster(std::move(spec), now_); });
      for (const std::string_view name : update.removed) warming_.removeCluster(name);
      warming_.onClustersAnswered();
      return errors;
    }
    if (kind == Assignments) {
      auto errors = keep(update, decodeAssignments(update, context),
                         [this](auto spec) { warming_.putAssignment(std::move(spec)); });
      for (const std::string_view name : update.removed) warming_.assignmentAbsent(name);
      return errors;
    }
    if (kind == Listeners) {
      auto errors = keep(update, decodeListeners(update, context),
                         [this](auto spec) { warming_.putListener(std::move(spec), now_); });
      for (const std::string_view name : update.removed) warming_.removeListener(name);
      warming_.onListenersAnswered();
      return errors;
    }
    auto errors = keep(update, decodeRouteTables(update, context),
                       [this](auto spec) { warming_.putRoutes(std::move(spec)); });
    for (const std::string_view name : update.removed) warming_.routesAbsent(name);
    return errors;
  }

  // Of this response's type: earlier versions of other types may just have become ready.
  void check(const Changes& changes, size_t kind, const std::set<std::string>& refused) {
    if (kind == Listeners) {
      for (const auto& spec : changes.listeners) CONVOY_ASSERT(!spec->name.empty());
    }
    if (kind == Clusters) {
      for (const auto& spec : changes.clusters) CONVOY_ASSERT(!spec->name.empty());
    }
    for (const ClusterEndpoints& endpoints : changes.endpoints) {
      CONVOY_ASSERT(endpoints.assignment != nullptr);
      if (kind == Assignments) CONVOY_ASSERT(!refused.contains(endpoints.assignment->cluster));
    }
  }

  void follow() {
    for (const NameChange& change : warming_.takeAssignmentNames()) {
      change.wanted ? types_[Assignments].subscribe(change.name)
                    : types_[Assignments].unsubscribe(change.name);
    }
    for (const NameChange& change : warming_.takeRouteNames()) {
      change.wanted ? types_[RouteTables].subscribe(change.name)
                    : types_[RouteTables].unsubscribe(change.name);
    }
  }

  void say() {
    for (Subscription& type : types_) {
      while (const auto request = type.nextRequest()) {
        asked_.insert(type.typeUrl());
        const std::string bytes = request->SerializeAsString();
        DeltaRequest heard;
        CONVOY_ASSERT(heard.ParseFromString(bytes));
        CONVOY_ASSERT(heard.type_url() == type.typeUrl());
        CONVOY_ASSERT(bytes.size() < 3u << 20);
        if (expected_ != nullptr && heard.response_nonce() == expected_->nonce()) answered_ = true;
      }
    }
  }

  event::MonotonicTime now_{};
  Warming warming_{Warming::Options()};
  Subscription types_[4] = {{config::kClusterType, Interest::All},
                            {config::kAssignmentType, Interest::Named},
                            {config::kListenerType, Interest::All},
                            {config::kRouteTableType, Interest::Named}};
  const DeltaResponse* expected_ = nullptr;
  bool answered_ = false;
  std::set<std::string> asked_;  // types, on this stream
};

}  // namespace
}  // namespace convoy::xds

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  [[maybe_unused]] static const auto complaints = google::protobuf::SetLogHandler(nullptr);
  convoy::xds::Node node;
  size_t at = 0;
  while (size - at >= 3) {
    const uint8_t step = data[at];
    const size_t told = static_cast<size_t>(data[at + 1]) << 8 | data[at + 2];
    at += 3;
    const size_t length = std::min(told, size - at);
    if ((step & 4) != 0) node.onStreamStarted();
    if ((step & 8) != 0) node.onTimePassed();
    node.onResponse(step & 3, {reinterpret_cast<const char*>(data + at), length});
    at += length;
  }
  return 0;
}
