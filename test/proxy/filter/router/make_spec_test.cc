#include "proxy/filter/router/make_spec.h"

#include "gtest/gtest.h"

namespace convoy::filter::router {
namespace {

TEST(MakeSpec, TakesWhatTheMessageSays) {
  envoy::extensions::filters::http::router::v3::Router proto;
  EXPECT_FALSE(makeRouterSpec(proto)->suppress_envoy_headers);
  proto.set_suppress_envoy_headers(true);
  EXPECT_TRUE(makeRouterSpec(proto)->suppress_envoy_headers);
  EXPECT_FALSE(makeRouterSpec(proto)->respect_expected_rq_timeout);
  proto.set_respect_expected_rq_timeout(true);
  EXPECT_TRUE(makeRouterSpec(proto)->respect_expected_rq_timeout);
}

}  // namespace
}  // namespace convoy::filter::router
