#pragma once

// envoy.extensions.filters.http.header_mutation.v3 to specs: the filter's own configuration, and
// that of a route, virtual host or route table.

#include <memory>

#include "envoy/extensions/filters/http/header_mutation/v3/header_mutation.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/filter/header_mutation/spec.h"

namespace convoy::config {

std::shared_ptr<filter::header_mutation::HeaderMutationSpec> makeHeaderMutation(
    const envoy::extensions::filters::http::header_mutation::v3::HeaderMutation& proto,
    base::FieldReport& report);

std::shared_ptr<const filter::header_mutation::PerRouteSpec> makeHeaderMutationPerRoute(
    const envoy::extensions::filters::http::header_mutation::v3::HeaderMutationPerRoute& proto,
    base::FieldReport& report);

}  // namespace convoy::config
