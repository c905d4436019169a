#include "controlplane/compile/types.h"

#include <gtest/gtest.h>

#include <string>

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "envoy/config/listener/v3/listener.pb.h"
#include "envoy/config/route/v3/route.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/secret.pb.h"

namespace convoy::controlplane::compile {
namespace {

template <typename Message>
void expectType(Type type) {
  const std::string url = "type.googleapis.com/" + Message::descriptor()->full_name();
  EXPECT_EQ(typeUrl(type), url);
  EXPECT_EQ(typeOfUrl(url), type);
}

TEST(TypesTest, UrlsAreThoseOfTheMessages) {
  expectType<envoy::config::cluster::v3::Cluster>(Type::Cluster);
  expectType<envoy::config::endpoint::v3::ClusterLoadAssignment>(Type::Assignment);
  expectType<envoy::config::listener::v3::Listener>(Type::Listener);
  expectType<envoy::config::route::v3::RouteConfiguration>(Type::RouteConfiguration);
  expectType<envoy::extensions::transport_sockets::tls::v3::Secret>(Type::Secret);
}

TEST(TypesTest, OthersAreUnknown) {
  EXPECT_EQ(typeOfUrl("type.googleapis.com/envoy.service.runtime.v3.Runtime"), std::nullopt);
  EXPECT_EQ(typeOfUrl(""), std::nullopt);
}

}  // namespace
}  // namespace convoy::controlplane::compile
