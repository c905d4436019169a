#include "controlplane/validate/node_check.h"

#include <string>

#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "envoy/config/listener/v3/listener.pb.h"
#include "envoy/config/route/v3/route.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/secret.pb.h"
#include "google/protobuf/message.h"
#include "proxy/config/builtins.h"
#include "proxy/config/context.h"
#include "proxy/config/resources.h"

namespace convoy::controlplane::validate {

namespace {

// Every error by itself, where a NACK has only the first of a resource.
template <typename Result>
std::vector<ext::ResourceError> errorsOf(const Result& result) {
  std::vector<ext::ResourceError> errors;
  for (const base::FieldError& error : result.errors.errors) {
    ext::ResourceError& out = errors.emplace_back();
    out.set_type_url(result.errors.type_url);
    out.set_name(result.errors.name);
    out.set_field_path(error.field_path);
    out.set_rule(error.rule);
    out.set_value(error.value);
    out.set_reason(error.hint);
  }
  return errors;
}

std::vector<ext::ResourceError> check(const google::protobuf::Message& resource) {
  using google::protobuf::DynamicCastToGenerated;
  config::Context context;
  context.registry = &config::builtins();
  if (const auto* listener =
          DynamicCastToGenerated<envoy::config::listener::v3::Listener>(&resource)) {
    return errorsOf(config::makeListener(*listener, context));
  }
  if (const auto* routes =
          DynamicCastToGenerated<envoy::config::route::v3::RouteConfiguration>(&resource)) {
    return errorsOf(config::makeRouteTable(*routes, context));
  }
  if (const auto* cluster =
          DynamicCastToGenerated<envoy::config::cluster::v3::Cluster>(&resource)) {
    return errorsOf(config::makeCluster(*cluster, context));
  }
  if (const auto* assignment =
          DynamicCastToGenerated<envoy::config::endpoint::v3::ClusterLoadAssignment>(&resource)) {
    return errorsOf(config::makeAssignment(*assignment, context));
  }
  if (const auto* secret =
          DynamicCastToGenerated<envoy::extensions::transport_sockets::tls::v3::Secret>(
              &resource)) {
    return errorsOf(config::makeSecret(*secret, context));
  }
  return {};
}

}  // namespace

XdsCheck nodeCheck() {
  return check;
}

}  // namespace convoy::controlplane::validate
