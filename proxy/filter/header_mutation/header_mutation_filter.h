#pragma once

// Edits the headers of requests before the filters behind it see them, and of responses after
// those: the filter's own edits first, then those of route, virtual host and route table. Trailers
// and informational responses are left alone. Literal values point into the specs, which the
// request pins; only formats write into the request's arena.

#include <memory>

#include "proxy/filter/header_mutation/spec.h"
#include "proxy/filter/worker_services.h"
#include "proxy/http/filter.h"

namespace convoy::filter::header_mutation {

std::unique_ptr<http::FilterFactory> makeFactory(std::shared_ptr<const HeaderMutationSpec> spec,
                                                 const WorkerServices& services);

}  // namespace convoy::filter::header_mutation
