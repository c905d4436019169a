#include "proxy/config/resources.h"

#include "proxy/config/assignment.h"
#include "proxy/config/cluster.h"
#include "proxy/config/listener.h"
#include "proxy/config/message_check.h"
#include "proxy/config/route_table.h"
#include "proxy/config/tls_context.h"

namespace convoy::config {
namespace {

std::string_view shortType(std::string_view type_url) {
  return type_url.substr(type_url.rfind('.') + 1);
}

template <typename Spec, typename Proto, typename Convert>
Result<Spec> make(const Proto& proto, const char* type_url, const std::string& name,
                  const Context& context, Convert convert) {
  base::FieldReport report;
  checkMessage(proto, context, report);
  Context at = context;
  at.resource = std::string(shortType(type_url)) + '/' + name;
  std::shared_ptr<const Spec> spec = convert(proto, at, report);
  Result<Spec> result;
  result.errors.type_url = type_url;
  result.errors.name = name;
  result.errors.error_count = report.errorCount();
  result.errors.errors = report.takeErrors();
  result.note_count = report.noteCount();
  result.notes = report.takeNotes();
  if (result.errors.error_count == 0) result.spec = std::move(spec);
  return result;
}

}  // namespace

ext::ResourceError ResourceErrors::toProto() const {
  ext::ResourceError proto;
  proto.set_type_url(type_url);
  proto.set_name(name);
  if (errors.empty()) return proto;
  const base::FieldError& first = errors.front();
  proto.set_field_path(first.field_path);
  proto.set_rule(first.rule);
  proto.set_value(first.value);
  std::string reason = first.hint;
  if (error_count > 1) reason += " (and " + std::to_string(error_count - 1) + " more errors)";
  proto.set_reason(std::move(reason));
  return proto;
}

std::string ResourceErrors::text() const {
  std::string text;
  for (const base::FieldError& error : errors) {
    if (!text.empty()) text += '\n';
    text += std::string(shortType(type_url)) + " \"" + name + "\": ";
    if (!error.field_path.empty()) text += error.field_path + ": ";
    text += error.hint + " (" + error.rule;
    if (!error.value.empty()) text += ": " + error.value;
    text += ")";
  }
  if (error_count > errors.size()) {
    text += "\nand " + std::to_string(error_count - errors.size()) + " more";
  }
  return text;
}

Result<net::ListenerSpec> makeListener(const envoy::config::listener::v3::Listener& proto,
                                       const Context& context) {
  return make<net::ListenerSpec>(proto, kListenerType, proto.name(), context, toListener);
}

Result<route::RouteTableSpec> makeRouteTable(
    const envoy::config::route::v3::RouteConfiguration& proto, const Context& context) {
  return make<route::RouteTableSpec>(proto, kRouteTableType, proto.name(), context, toRouteTable);
}

Result<upstream::ClusterSpec> makeCluster(const envoy::config::cluster::v3::Cluster& proto,
                                          const Context& context) {
  return make<upstream::ClusterSpec>(proto, kClusterType, proto.name(), context, toCluster);
}

Result<tls::SecretSpec> makeSecret(
    const envoy::extensions::transport_sockets::tls::v3::Secret& proto, const Context& context) {
  return make<tls::SecretSpec>(proto, kSecretType, proto.name(), context, toSecret);
}

Result<upstream::AssignmentSpec> makeAssignment(
    const envoy::config::endpoint::v3::ClusterLoadAssignment& proto, const Context& context) {
  return make<upstream::AssignmentSpec>(proto, kAssignmentType, proto.cluster_name(), context,
                                        toAssignment);
}

}  // namespace convoy::config
