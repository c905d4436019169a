#include "proxy/filter/registry.h"

#include "proxy/filter/header_mutation/header_mutation_filter.h"
#include "proxy/filter/header_mutation/spec.h"
#include "proxy/filter/router/router_filter.h"
#include "proxy/filter/router/spec.h"

namespace convoy::filter {

void registerBuiltins(Registry& registry) {
  registry.add(header_mutation::kKind, [](const std::shared_ptr<const http::HttpFilterSpec>& spec,
                                          const WorkerServices& services) {
    return header_mutation::makeFactory(
        std::static_pointer_cast<const header_mutation::HeaderMutationSpec>(spec), services);
  });
  registry.add(router::kKind, [](const std::shared_ptr<const http::HttpFilterSpec>& spec,
                                 const WorkerServices& services) {
    return router::makeRouterFactory(std::static_pointer_cast<const router::RouterSpec>(spec),
                                     services);
  });
}

}  // namespace convoy::filter
