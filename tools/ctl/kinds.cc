#include "tools/ctl/kinds.h"

#include <algorithm>

namespace convoy::tools::ctl {

std::optional<v1::Kind> parseKind(const std::string& text) {
  std::string name = text;
  std::replace(name.begin(), name.end(), '_', '-');
  if (name.size() > 1 && name.back() == 's') name.pop_back();
  for (const v1::Kind kind : {v1::KIND_LISTENER, v1::KIND_ROUTE_TABLE, v1::KIND_POOL,
                              v1::KIND_BACKEND, v1::KIND_CERTIFICATE}) {
    if (name == kindText(kind)) return kind;
  }
  return std::nullopt;
}

std::string kindText(v1::Kind kind) {
  switch (kind) {
    case v1::KIND_LISTENER:
      return "listener";
    case v1::KIND_ROUTE_TABLE:
      return "route-table";
    case v1::KIND_POOL:
      return "pool";
    case v1::KIND_BACKEND:
      return "backend";
    case v1::KIND_CERTIFICATE:
      return "certificate";
    default:
      return "resource";
  }
}

std::string noKindText(const std::string& text) {
  return "\"" + text + "\" is no kind; kinds are " + kKinds;
}

std::string idText(const v1::ResourceId& id) {
  return kindText(id.kind()) + " " + id.name();
}

v1::ResourceId idOf(const v1::Resource& resource) {
  v1::ResourceId id;
  switch (resource.resource_case()) {
    case v1::Resource::kListener:
      id.set_kind(v1::KIND_LISTENER);
      id.set_name(resource.listener().name());
      break;
    case v1::Resource::kRouteTable:
      id.set_kind(v1::KIND_ROUTE_TABLE);
      id.set_name(resource.route_table().name());
      break;
    case v1::Resource::kPool:
      id.set_kind(v1::KIND_POOL);
      id.set_name(resource.pool().name());
      break;
    case v1::Resource::kBackend:
      id.set_kind(v1::KIND_BACKEND);
      id.set_name(resource.backend().pool() + "/" + resource.backend().address());
      break;
    case v1::Resource::kCertificate:
      id.set_kind(v1::KIND_CERTIFICATE);
      id.set_name(resource.certificate().name());
      break;
    case v1::Resource::RESOURCE_NOT_SET:
      break;
  }
  return id;
}

const google::protobuf::Message& contentOf(const v1::Resource& resource) {
  switch (resource.resource_case()) {
    case v1::Resource::kListener:
      return resource.listener();
    case v1::Resource::kRouteTable:
      return resource.route_table();
    case v1::Resource::kPool:
      return resource.pool();
    case v1::Resource::kBackend:
      return resource.backend();
    case v1::Resource::kCertificate:
      return resource.certificate();
    case v1::Resource::RESOURCE_NOT_SET:
      break;
  }
  return resource;
}

v1::Config configOf(const std::vector<v1::Resource>& resources) {
  v1::Config config;
  for (const v1::Resource& resource : resources) {
    if (resource.has_listener()) *config.add_listeners() = resource.listener();
    if (resource.has_route_table()) *config.add_route_tables() = resource.route_table();
    if (resource.has_pool()) *config.add_pools() = resource.pool();
    if (resource.has_backend()) *config.add_backends() = resource.backend();
    if (resource.has_certificate()) *config.add_certificates() = resource.certificate();
  }
  return config;
}

}  // namespace convoy::tools::ctl
