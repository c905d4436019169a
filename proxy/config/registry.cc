#include "proxy/config/registry.h"

#include "google/protobuf/descriptor.h"

namespace convoy::config {

std::string_view typeName(const google::protobuf::Any& any) {
  const std::string_view url = any.type_url();
  return url.substr(url.rfind('/') + 1);
}

std::unique_ptr<google::protobuf::Message> unpackAny(const google::protobuf::Any& any) {
  const google::protobuf::Descriptor* type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
          std::string(typeName(any)));
  if (type == nullptr) return nullptr;
  const google::protobuf::Message* prototype =
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type);
  if (prototype == nullptr) return nullptr;
  std::unique_ptr<google::protobuf::Message> message(prototype->New());
  if (!message->ParseFromString(any.value())) return nullptr;
  return message;
}

Registry::Registry()
    : network_filters("network filter"),
      http_filters("HTTP filter"),
      per_route_filters("configuration of an HTTP filter for one route"),
      access_loggers("access logger"),
      downstream_transports("transport socket for listeners"),
      cluster_options("extension with protocol options"),
      load_balancers("load-balancing policy"),
      request_ids("request id extension"),
      upstream_transports("transport socket for clusters") {}

bool Registry::knows(std::string_view type) const {
  return network_filters.find(type) != nullptr || http_filters.find(type) != nullptr ||
         per_route_filters.find(type) != nullptr || access_loggers.find(type) != nullptr ||
         downstream_transports.find(type) != nullptr || cluster_options.find(type) != nullptr ||
         load_balancers.find(type) != nullptr || request_ids.find(type) != nullptr ||
         upstream_transports.find(type) != nullptr;
}

}  // namespace convoy::config
