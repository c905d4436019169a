#pragma once

// envoy.extensions.filters.http.router.v3.Router to RouterSpec. No socket, no data path.

#include <memory>

#include "envoy/extensions/filters/http/router/v3/router.pb.h"
#include "proxy/filter/router/spec.h"

namespace convoy::filter::router {

std::shared_ptr<RouterSpec> makeRouterSpec(
    const envoy::extensions::filters::http::router::v3::Router& proto);

}  // namespace convoy::filter::router
