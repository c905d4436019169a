#pragma once

// Configuration of the router filter (envoy.extensions.filters.http.router.v3.Router).

#include "proxy/http/spec.h"

namespace convoy::filter::router {

inline constexpr char kKind[] = "envoy.filters.http.router";

struct RouterSpec final : http::HttpFilterSpec {
  bool suppress_envoy_headers = false;
  // The time-out is what the hop before says that it waits for (x-envoy-expected-rq-timeout-ms).
  bool respect_expected_rq_timeout = false;
};

}  // namespace convoy::filter::router
