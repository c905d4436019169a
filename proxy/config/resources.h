#pragma once

// Envoy's xDS resources to immutable specs, or to errors that say which field breaks which rule:
// for the data plane, and for the control plane before it pushes. Each resource is first checked as
// a whole (fields this build does not know, Envoy's validate.rules, the field table), then
// converted; all errors are reported together. Any thread; nothing blocks but data sources that
// name files.

#include <memory>
#include <string>
#include <vector>

#include "api/convoy/ext/resource_error.pb.h"
#include "envoy/config/cluster/v3/cluster.pb.h"
#include "envoy/config/endpoint/v3/endpoint.pb.h"
#include "envoy/config/listener/v3/listener.pb.h"
#include "envoy/config/route/v3/route.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/secret.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/net/spec.h"
#include "proxy/route/spec.h"
#include "proxy/tls/spec.h"
#include "proxy/upstream/spec.h"

namespace convoy::config {

inline constexpr char kListenerType[] = "type.googleapis.com/envoy.config.listener.v3.Listener";
inline constexpr char kRouteTableType[] =
    "type.googleapis.com/envoy.config.route.v3.RouteConfiguration";
inline constexpr char kClusterType[] = "type.googleapis.com/envoy.config.cluster.v3.Cluster";
inline constexpr char kAssignmentType[] =
    "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment";

inline constexpr char kSecretType[] =
    "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";

// Why a resource is refused.
struct ResourceErrors {
  std::string type_url;
  std::string name;
  std::vector<base::FieldError> errors;  // at most FieldReport::kMaxErrors
  uint64_t error_count = 0;

  // The first error; its reason says how many more there are.
  ext::ResourceError toProto() const;
  // One line per error, for logs and people.
  std::string text() const;
};

template <typename T>
struct Result {
  std::shared_ptr<const T> spec;       // null: refused
  ResourceErrors errors;               // empty unless refused; type_url and name are always set
  std::vector<base::FieldNote> notes;  // fields without effect here, at most FieldReport::kMaxNotes
  uint64_t note_count = 0;

  bool ok() const { return spec != nullptr; }
};

Result<net::ListenerSpec> makeListener(const envoy::config::listener::v3::Listener& proto,
                                       const Context& context);
Result<route::RouteTableSpec> makeRouteTable(
    const envoy::config::route::v3::RouteConfiguration& proto, const Context& context);
Result<upstream::ClusterSpec> makeCluster(const envoy::config::cluster::v3::Cluster& proto,
                                          const Context& context);
Result<tls::SecretSpec> makeSecret(
    const envoy::extensions::transport_sockets::tls::v3::Secret& proto, const Context& context);
Result<upstream::AssignmentSpec> makeAssignment(
    const envoy::config::endpoint::v3::ClusterLoadAssignment& proto, const Context& context);

}  // namespace convoy::config
