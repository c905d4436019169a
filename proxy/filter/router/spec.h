#pragma once

// Configuration of the router filter (envoy.extensions.filters.http.router.v3.Router).

#include "proxy/http/spec.h"

namespace convoy::filter::router {

inline constexpr char kKind[] = "envoy.filters.http.router";

struct RouterSpec final : http::HttpFilterSpec {
  bool suppress_envoy_headers = false;
};

}  // namespace convoy::filter::router
