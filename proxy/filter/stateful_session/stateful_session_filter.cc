#include "proxy/filter/stateful_session/stateful_session_filter.h"

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "proxy/filter/redis_clients.h"
#include "proxy/filter/stateful_session/session_state.h"
#include "proxy/filter/stateful_session/shared_sessions.h"
#include "proxy/route/compiled_route.h"
#include "proxy/upstream/worker_cluster.h"

namespace convoy::filter::stateful_session {

namespace {

// What the requests of a worker share.
struct Shared {
  const std::shared_ptr<const StatefulSessionSpec> spec;
  const std::shared_ptr<SessionTables> tables;
  const WorkerServices services;
};

class StatefulSessionFilter final : public http::Filter, private redis::Call {
 public:
  explicit StatefulSessionFilter(const Shared& shared) : shared_(shared) {}

  http::FilterVerdict onRequestHead(http::RequestHead& head, bool) override {
    const SessionSpec* const spec = specOf(context().route());
    if (spec == nullptr) return http::FilterVerdict::Continue;
    const auto* const state = spec->prepared.get<SessionState>([&] {
      return makeSessionState(spec->state, *shared_.tables, shared_.services.loop.now());
    });
    if (state == nullptr || !state->covers(head)) return http::FilterVerdict::Continue;
    state_ = state;
    binding_.strict = spec->strict;
    session_ = state->find(scope(head));
    if (asksOthers()) return http::FilterVerdict::Pause;
    bind();
    return http::FilterVerdict::Continue;
  }

  http::FilterVerdict onResponseHead(http::ResponseHead& head, bool) override {
    // What the proxy answers itself says nothing about a host.
    const http::StreamInfo& info = context().info();
    if (state_ == nullptr || info.response_started == event::MonotonicTime()) {
      return http::FilterVerdict::Continue;
    }
    upstream::WorkerCluster* const cluster = shared_.services.clusters.find(info.cluster);
    if (cluster == nullptr) return http::FilterVerdict::Continue;
    Scope noted = scope(context().requestHead());
    noted.store = redisClient();
    noted.stored = this;
    state_->note(noted, session_, info.upstream_host, head, cluster->metrics());
    return waits() ? http::FilterVerdict::Pause : http::FilterVerdict::Continue;
  }

  void onStreamEnd() override { giveUp(); }
  bool looksAtBodies() const override { return false; }

 private:
  void bind() {
    binding_.found = session_.found;
    binding_.host = session_.host;
    context().info().session = &binding_;
    bound_ = true;
  }

  // Null: sessions are not shared.
  redis::Client* redisClient() const {
    const SharedSessions* const others = state_->shared();
    if (others == nullptr || shared_.services.redis == nullptr) return nullptr;
    return &shared_.services.redis->get(others->server());
  }

  // True: the request waits for what other nodes know.
  bool asksOthers() {
    const route::Forward* const forward = context().route()->forward();
    if (forward == nullptr || !session_.has_client) return false;
    redis::Client* const redis = redisClient();
    if (redis == nullptr) return false;
    const SharedSessions& others = *state_->shared();
    const auto& clusters = shared_.services.clusters;
    if (session_.found == Session::Found::Host && serves(clusters, *forward, session_.host)) {
      // The route may go before the answer comes.
      if (session_.check) {
        others.check(*redis, session_.client, session_.host,
                     [&clusters, to = clustersOf(*forward)](std::string_view host) {
                       return servesAny(clusters, to, std::identity(), host);
                     });
      }
      return false;
    }
    return others.ask(*redis, session_.client, *this);
  }

  static std::vector<std::string> clustersOf(const route::Forward& forward) {
    if (forward.weighted.empty()) return {forward.cluster};
    std::vector<std::string> names;
    for (const route::WeightedCluster& cluster : forward.weighted) names.push_back(cluster.name);
    return names;
  }

  // Drawn by weight, the cluster is not known yet: any of them.
  static bool serves(const upstream::WorkerClusters& clusters, const route::Forward& forward,
                     std::string_view host) {
    if (!forward.weighted.empty()) {
      return servesAny(clusters, forward.weighted, &route::WeightedCluster::name, host);
    }
    return servesAny(clusters, std::span(&forward.cluster, 1), std::identity(), host);
  }

  // Where there is none of the clusters, Redis cannot know better: the router says what is wrong.
  template <class Clusters, class NameOf>
  static bool servesAny(const upstream::WorkerClusters& worker, const Clusters& clusters,
                        NameOf name_of, std::string_view host) {
    bool any = false;
    for (const auto& one : clusters) {
      const upstream::WorkerCluster* const cluster = worker.find(std::invoke(name_of, one));
      if (cluster == nullptr) continue;
      if (cluster->has(host)) return true;
      any = true;
    }
    return !any;
  }

  // Redis's answer: to the question, or, with the response, to what it was told.
  void onReply(const redis::Reply& reply) override {
    if (bound_) return context().continueResponse();
    const std::string_view host = SharedSessions::hostOf(reply, redisClient()->metrics());
    if (!host.empty()) {
      session_.found = Session::Found::Host;
      session_.of_others = true;
      session_.host = context().arena().copy(host);
    }
    bind();
    context().continueRequest();
  }

  // Null: the route has no sessions.
  const SessionSpec* specOf(const route::CompiledRoute* route) const {
    if (route == nullptr) return nullptr;
    const route::PerRouteFilterSpec* const config = route->filterConfig(shared_.spec->name);
    if (config == nullptr || config->kind != kKind) return &shared_.spec->session;
    const auto& of_route = static_cast<const PerRouteSpec&>(*config);
    return of_route.disabled ? nullptr : &of_route.session;
  }

  Scope scope(const http::RequestHead& head) {
    return {head, context().info(), context().loop(), context().arena()};
  }

  const Shared& shared_;
  const SessionState* state_ = nullptr;  // pinned with the spec that it was made of
  Session session_;
  http::SessionBinding binding_;
  bool bound_ = false;  // the router can see it
};

class Factory final : public http::FilterFactory {
 public:
  explicit Factory(Shared shared) : shared_(std::move(shared)) {}
  http::Filter* create(base::Arena& arena) override {
    return arena.make<StatefulSessionFilter>(shared_);
  }

 private:
  const Shared shared_;
};

}  // namespace

std::unique_ptr<http::FilterFactory> makeFactory(std::shared_ptr<const StatefulSessionSpec> spec,
                                                 std::shared_ptr<SessionTables> tables,
                                                 const WorkerServices& services) {
  return std::make_unique<Factory>(Shared{std::move(spec), std::move(tables), services});
}

}  // namespace convoy::filter::stateful_session
