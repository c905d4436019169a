#include "proxy/config/registry.h"

#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/json_util.h"
#include "udpa/type/v1/typed_struct.pb.h"
#include "xds/type/v3/typed_struct.pb.h"

namespace convoy::config {

std::string_view typeName(const google::protobuf::Any& any) {
  const std::string_view url = any.type_url();
  return url.substr(url.rfind('/') + 1);
}

namespace {

template <class TypedStruct>
google::protobuf::Any openAs(const google::protobuf::Any& any) {
  google::protobuf::Any inner;
  TypedStruct typed;
  if (!any.UnpackTo(&typed)) return inner;
  inner.set_type_url(typed.type_url());
  const google::protobuf::Descriptor* type =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(
          std::string(typeName(inner)));
  if (type == nullptr) return inner;
  const std::unique_ptr<google::protobuf::Message> message(
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
  std::string json;
  const bool fits = google::protobuf::util::MessageToJsonString(typed.value(), &json).ok() &&
                    google::protobuf::util::JsonStringToMessage(json, message.get()).ok();
  // A byte that begins no field makes what does not fit malformed.
  inner.set_value(fits ? message->SerializePartialAsString() : std::string("\xff"));
  return inner;
}

}  // namespace

std::optional<google::protobuf::Any> openTypedStruct(const google::protobuf::Any& any) {
  if (any.Is<xds::type::v3::TypedStruct>()) return openAs<xds::type::v3::TypedStruct>(any);
  if (any.Is<udpa::type::v1::TypedStruct>()) return openAs<udpa::type::v1::TypedStruct>(any);
  return std::nullopt;
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
      session_states("session state"),
      access_loggers("access logger"),
      downstream_transports("transport socket for listeners"),
      upstream_transports("transport socket for clusters"),
      cluster_options("extension with protocol options"),
      load_balancers("load-balancing policy"),
      health_checkers("health checker"),
      dns_resolvers("DNS resolver"),
      request_ids("request id extension"),
      ip_detections("extension that finds the client's address"),
      early_header_mutations("early header mutation"),
      listener_filters("listener filter") {}

std::vector<std::string> Registry::types() const {
  std::vector<std::string> types;
  network_filters.addTypesTo(&types);
  http_filters.addTypesTo(&types);
  per_route_filters.addTypesTo(&types);
  session_states.addTypesTo(&types);
  access_loggers.addTypesTo(&types);
  downstream_transports.addTypesTo(&types);
  cluster_options.addTypesTo(&types);
  load_balancers.addTypesTo(&types);
  health_checkers.addTypesTo(&types);
  dns_resolvers.addTypesTo(&types);
  request_ids.addTypesTo(&types);
  ip_detections.addTypesTo(&types);
  early_header_mutations.addTypesTo(&types);
  upstream_transports.addTypesTo(&types);
  listener_filters.addTypesTo(&types);
  return types;
}

}  // namespace convoy::config
