#include "proxy/filter/registry.h"

#include "proxy/filter/header_mutation/header_mutation_filter.h"
#include "proxy/filter/header_mutation/spec.h"
#include "proxy/filter/router/router_filter.h"
#include "proxy/filter/router/spec.h"
#include "proxy/filter/stateful_session/spec.h"
#include "proxy/filter/stateful_session/stateful_session_filter.h"

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
  // Every worker and listener shares what was learned.
  registry.add(
      stateful_session::kKind,
      [tables = std::make_shared<stateful_session::SessionTables>()](
          const std::shared_ptr<const http::HttpFilterSpec>& spec, const WorkerServices& services) {
        return stateful_session::makeFactory(
            std::static_pointer_cast<const stateful_session::StatefulSessionSpec>(spec), tables,
            services);
      });
}

}  // namespace convoy::filter
