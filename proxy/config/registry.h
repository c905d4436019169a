#pragma once

// Extension points: which typed_config messages this build understands, and what makes specs of
// them. Filled once by registerBuiltins(), read-only afterwards. Found by message type, as Envoy
// does; the `name` next to a typed_config is for people.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "google/protobuf/any.pb.h"
#include "google/protobuf/message.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/filter/stateful_session/spec.h"
#include "proxy/http/spec.h"
#include "proxy/net/spec.h"
#include "proxy/route/spec.h"
#include "proxy/upstream/dns/spec.h"
#include "proxy/upstream/health/spec.h"
#include "proxy/upstream/spec.h"

namespace convoy::config {

// Full name of the message type in an Any: what follows the last "/" of its URL.
std::string_view typeName(const google::protobuf::Any& any);

// If the Any holds a TypedStruct (xds.type.v3, or the older udpa.type.v1), what that stands for:
// this is how a configuration names a type that others need not have. Without value if this build
// does not have it either; with one that cannot be parsed if the struct does not fit the type.
std::optional<google::protobuf::Any> openTypedStruct(const google::protobuf::Any& any);

// The message in an Any, or null. Its type must be linked.
std::unique_ptr<google::protobuf::Message> unpackAny(const google::protobuf::Any& any);

// One extension point. `Made` is what its factories return.
template <typename Made>
class ExtensionPoint {
 public:
  struct Extension {
    std::string kind;  // Envoy's extension name
    std::function<Made(const google::protobuf::Message&, const Context&, base::FieldReport&)> make;
  };

  explicit ExtensionPoint(std::string what) : what_(std::move(what)) {}

  // `make` is a function of (const Proto&, const Context&, base::FieldReport&).
  template <typename Proto, typename Make>
  void add(std::string kind, Make make) {
    extensions_[Proto::descriptor()->full_name()] = {
        std::move(kind),
        [make = std::move(make)](const google::protobuf::Message& message, const Context& context,
                                 base::FieldReport& report) -> Made {
          return make(static_cast<const Proto&>(message), context, report);
        }};
  }

  const Extension* find(std::string_view type) const {
    const auto found = extensions_.find(type);
    return found == extensions_.end() ? nullptr : &found->second;
  }

  // Finds the extension of a typed_config and calls its factory. Otherwise says why not (at the
  // report's present field) and returns what default construction gives; `*kind` is empty then.
  // A TypedStruct counts as what it stands for.
  Made make(const google::protobuf::Any& any, const Context& context, base::FieldReport& report,
            std::string* kind = nullptr) const {
    if (const auto inner = openTypedStruct(any); inner.has_value()) {
      return make(*inner, context, report, kind);
    }
    const Extension* extension = nullptr;
    const std::unique_ptr<google::protobuf::Message> message = open(any, report, &extension);
    if (message == nullptr) return Made();
    if (kind != nullptr) *kind = extension->kind;
    return extension->make(*message, context, report);
  }

  void addTypesTo(std::vector<std::string>* types) const {
    for (const auto& [type, extension] : extensions_) types->push_back(type);
  }

  // "envoy.filters.http.a, envoy.filters.http.b"
  std::string kinds() const {
    std::string list;
    for (const auto& [type, extension] : extensions_) {
      list += (list.empty() ? "" : ", ") + extension.kind;
    }
    return list.empty() ? "none yet" : list;
  }

 private:
  std::unique_ptr<google::protobuf::Message> open(const google::protobuf::Any& any,
                                                  base::FieldReport& report,
                                                  const Extension** extension) const {
    if (any.type_url().empty()) {
      report.error("required", "", "a typed_config with \"@type\" is needed");
      return nullptr;
    }
    *extension = find(typeName(any));
    if (*extension == nullptr) {
      report.error("unsupported_extension", typeName(any),
                   "this build has no such " + what_ + "; it has: " + kinds());
      return nullptr;
    }
    std::unique_ptr<google::protobuf::Message> message = unpackAny(any);
    if (message == nullptr) report.error("malformed", typeName(any), "is not valid protobuf");
    return message;
  }

  std::string what_;  // "HTTP filter"
  std::map<std::string, Extension, std::less<>> extensions_;
};

class Registry {
 public:
  Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  using NetworkFilterPtr = std::shared_ptr<const net::NetworkFilterSpec>;
  using HttpFilterPtr = std::shared_ptr<http::HttpFilterSpec>;
  using PerRoutePtr = std::shared_ptr<const route::PerRouteFilterSpec>;
  using TransportPtr = std::shared_ptr<const net::TransportSpec>;  // null: plain text
  // Fills in what the options say.
  using ClusterOptions = std::function<void(upstream::ClusterSpec&)>;

  ExtensionPoint<NetworkFilterPtr> network_filters;
  ExtensionPoint<HttpFilterPtr> http_filters;
  ExtensionPoint<PerRoutePtr> per_route_filters;
  ExtensionPoint<std::optional<filter::stateful_session::SessionStateSpec>> session_states;
  ExtensionPoint<std::optional<http::AccessLogSpec>> access_loggers;
  ExtensionPoint<TransportPtr> downstream_transports;
  ExtensionPoint<TransportPtr> upstream_transports;
  ExtensionPoint<ClusterOptions> cluster_options;  // typed_extension_protocol_options
  ExtensionPoint<std::optional<upstream::BalancingSpec>> load_balancers;
  ExtensionPoint<std::optional<upstream::CommandCheckSpec>> health_checkers;  // custom ones
  ExtensionPoint<std::optional<upstream::DnsResolverSpec>> dns_resolvers;
  // Only known ones without settings of ours exist.
  ExtensionPoint<bool> request_ids;
  ExtensionPoint<std::optional<http::IpDetection>> ip_detections;
  ExtensionPoint<bool> early_header_mutations;  // there is one: Forwarded
  ExtensionPoint<bool> listener_filters;

  // Message types that any extension point takes.
  std::vector<std::string> types() const;
};

}  // namespace convoy::config
