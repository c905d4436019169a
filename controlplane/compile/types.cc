#include "controlplane/compile/types.h"

namespace convoy::controlplane::compile {

absl::string_view typeUrl(Type type) {
  switch (type) {
    case Type::Cluster:
      return "type.googleapis.com/envoy.config.cluster.v3.Cluster";
    case Type::Assignment:
      return "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";
    case Type::Listener:
      return "type.googleapis.com/envoy.config.listener.v3.Listener";
    case Type::RouteConfiguration:
      return "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";
    case Type::Secret:
      return "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
  }
  return "";
}

std::optional<Type> typeOfUrl(absl::string_view url) {
  for (const Type type : kTypes) {
    if (typeUrl(type) == url) return type;
  }
  return std::nullopt;
}

}  // namespace convoy::controlplane::compile
