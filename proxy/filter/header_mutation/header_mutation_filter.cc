#include "proxy/filter/header_mutation/header_mutation_filter.h"

#include <utility>

#include "proxy/route/compiled_route.h"
#include "proxy/route/header_edits.h"

namespace convoy::filter::header_mutation {

namespace {

// The filter's own configuration, compiled; shared by the requests of a worker.
struct Compiled {
  explicit Compiled(std::shared_ptr<const HeaderMutationSpec> of) : spec(std::move(of)) {
    request.add(spec->edits.request);
    response.add(spec->edits.response);
  }
  const std::shared_ptr<const HeaderMutationSpec> spec;
  route::HeaderEditList request;
  route::HeaderEditList response;
};

class HeaderMutationFilter final : public http::Filter {
 public:
  explicit HeaderMutationFilter(const Compiled& compiled) : compiled_(compiled) {}

  http::FilterVerdict onRequestHead(http::RequestHead& head, bool) override {
    edit(compiled_.request, &Edits::request, head.headers, {head, nullptr});
    return http::FilterVerdict::Continue;
  }

  http::FilterVerdict onResponseHead(http::ResponseHead& head, bool) override {
    edit(compiled_.response, &Edits::response, head.headers, {context().requestHead(), &head});
    return http::FilterVerdict::Continue;
  }

  bool looksAtBodies() const override { return false; }

 private:
  struct Heads {
    const http::RequestHead& request;
    const http::ResponseHead* response;
  };

  void edit(const route::HeaderEditList& own, std::vector<route::HeaderEdit> Edits::*edits,
            http::HeaderList& headers, Heads heads) {
    const route::EditScope scope{heads.request, heads.response, context().info(),
                                 context().loop().clock(), context().arena()};
    own.apply(headers, scope);
    const route::CompiledRoute* const route = context().route();
    if (route == nullptr) return;
    route->forEachFilterConfig(
        compiled_.spec->name, compiled_.spec->most_specific_wins,
        [&](const route::PerRouteFilterSpec& config) {
          if (config.kind != kKind) return;  // another filter's, under this one's name
          route::applyEdits(static_cast<const PerRouteSpec&>(config).edits.*edits, headers, scope);
        });
  }

  const Compiled& compiled_;
};

class Factory final : public http::FilterFactory {
 public:
  explicit Factory(std::shared_ptr<const HeaderMutationSpec> spec) : compiled_(std::move(spec)) {}
  http::Filter* create(base::Arena& arena) override {
    return arena.make<HeaderMutationFilter>(compiled_);
  }

 private:
  const Compiled compiled_;
};

}  // namespace

std::unique_ptr<http::FilterFactory> makeFactory(std::shared_ptr<const HeaderMutationSpec> spec,
                                                 const WorkerServices&) {
  return std::make_unique<Factory>(std::move(spec));
}

}  // namespace convoy::filter::header_mutation
