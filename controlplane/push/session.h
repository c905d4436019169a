#pragma once

// One ADS stream without its socket: requests and views go in, responses come out, in an order in
// which no request is lost on the node. Not thread-safe.
//
// Order: clusters and endpoints, then the listeners and routes that name them, then removals the
// other way round. A listener or route waits until the client has answered every response that
// brings a cluster or assignment it never had; a removed cluster waits until the client has
// answered the listeners and routes that no longer name it. A client subscribes to the endpoints of
// a new cluster before it acknowledges the cluster, as Envoy and convoy-proxy do, so that they are
// waited for too.
//
// Secrets are sent as soon as they are asked for, and taken away last. A client asks for them when
// it has the cluster or listener that names them; what names a new cluster waits for its secrets as
// it does for its endpoints.
//
// A store without a revision takes nothing away from a client that comes back with resources
// (Delta): they are of another store, and this one is more likely a lost or mistyped one than the
// wish to serve nothing. The first revision ends that.
//
// One response per type is in flight. A view that arrives meanwhile waits; only the newest counts.

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "api/convoy/ext/node_report.pb.h"
#include "controlplane/compile/view.h"
#include "controlplane/push/node_identity.h"
#include "controlplane/push/subscription.h"
#include "envoy/service/discovery/v3/discovery.pb.h"

namespace convoy::controlplane::push {

struct Response {
  Protocol protocol = Protocol::Delta;
  compile::Type type = compile::Type::Cluster;
  std::string nonce;
  store::RevisionNumber revision = 0;
  Update update;
};

class Session {
 public:
  using DeltaRequest = envoy::service::discovery::v3::DeltaDiscoveryRequest;
  using Request = envoy::service::discovery::v3::DiscoveryRequest;

  explicit Session(Protocol protocol);

  // Error: InvalidArgument; the stream is then to be closed with it.
  absl::Status onRequest(const DeltaRequest& request);
  absl::Status onRequest(const Request& request);

  // Who the client is; null before the first request.
  const NodeIdentity* node() const { return node_ ? &*node_ : nullptr; }
  const std::optional<ext::NodeReport>& report() const { return report_; }

  // What the client is to have. `changes`: from the view before to this one; null: unknown.
  void setView(compile::ViewPtr view, const compile::ViewDifference* changes);
  const compile::ViewPtr& view() const { return view_; }

  // The next response to send, if one may be sent now.
  std::optional<Response> next();

  // The client has answered everything, and there is nothing to send.
  bool settled() const;
  // The client has resources of another store, which it keeps while this one holds nothing.
  bool keepsOthers() const;
  // It was sent clusters or listeners whose endpoints or routes it has not asked for yet.
  bool expectsRequests() const { return !unasked_.empty(); }

  // What the client refuses at present, ordered by type and name.
  std::vector<Refusal> refusals() const;

 private:
  struct Channel {
    Subscription subscription;
    std::string nonce;       // of the newest response
    bool requested = false;  // a request has come
  };

  absl::Status identify(bool has_node, const envoy::config::core::v3::Node& node);
  // Null for types that we do not serve: such requests are left unanswered.
  Channel* channelOf(const std::string& type_url);
  void answer(Channel& channel, bool is_error, const google::rpc::Status& error);
  void subscribe(Channel& channel, const DeltaRequest& request);
  void subscribe(Channel& channel, const Request& request);
  Subscription& of(compile::Type type) { return channels_[indexOf(type)].subscription; }
  const Subscription& of(compile::Type type) const { return channels_[indexOf(type)].subscription; }
  bool mayName() const;  // listeners and routes may be sent
  // Of these types the client has answered everything, and nothing is left to send.
  bool allSettled(absl::Span<const compile::Type> types) const;
  std::optional<Response> take(compile::Type type, bool removals);
  void expectRequests(compile::Type sent, const std::vector<compile::EncodedPtr>& resources);
  void asked(compile::Type type);

  const Protocol protocol_;
  std::optional<NodeIdentity> node_;
  std::optional<ext::NodeReport> report_;
  compile::ViewPtr view_;
  std::array<Channel, compile::kTypeCount> channels_;
  std::set<std::pair<compile::Type, std::string>> unasked_;
  uint64_t nonces_ = 0;
  bool came_back_ = false;  // with resources
};

}  // namespace convoy::controlplane::push
