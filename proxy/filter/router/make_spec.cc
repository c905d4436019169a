#include "proxy/filter/router/make_spec.h"

namespace convoy::filter::router {

std::shared_ptr<RouterSpec> makeRouterSpec(
    const envoy::extensions::filters::http::router::v3::Router& proto) {
  auto spec = std::make_shared<RouterSpec>();
  spec->suppress_envoy_headers = proto.suppress_envoy_headers();
  spec->respect_expected_rq_timeout = proto.respect_expected_rq_timeout();
  return spec;
}

}  // namespace convoy::filter::router
