#include "proxy/filter/stateful_session/stateful_session_filter.h"

#include <utility>

#include "proxy/filter/stateful_session/session_state.h"
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

class StatefulSessionFilter final : public http::Filter {
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
    session_ = state->find(scope(head));
    binding_ = {.found = session_.found, .strict = spec->strict, .host = session_.host};
    context().info().session = &binding_;
    return http::FilterVerdict::Continue;
  }

  http::FilterVerdict onResponseHead(http::ResponseHead& head, bool) override {
    // What the proxy answers itself says nothing about a host.
    const http::StreamInfo& info = context().info();
    if (state_ == nullptr || info.response_started == event::MonotonicTime()) {
      return http::FilterVerdict::Continue;
    }
    upstream::WorkerCluster* const cluster = shared_.services.clusters.find(info.cluster);
    if (cluster != nullptr) {
      state_->note(scope(context().requestHead()), session_, info.upstream_host, head,
                   cluster->metrics());
    }
    return http::FilterVerdict::Continue;
  }

  bool looksAtBodies() const override { return false; }

 private:
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
