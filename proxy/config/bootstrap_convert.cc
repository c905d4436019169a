#include "proxy/config/bootstrap_convert.h"

#include <set>
#include <utility>

#include "proxy/base/version.h"
#include "proxy/config/access_log.h"
#include "proxy/config/cluster.h"
#include "proxy/config/cross_check.h"
#include "proxy/config/dns.h"
#include "proxy/config/listener.h"
#include "proxy/config/runtime_layers.h"
#include "proxy/config/tls_context.h"
#include "proxy/config/values.h"

namespace convoy::config {
namespace {

namespace proto = envoy::config::bootstrap::v3;
namespace core = envoy::config::core::v3;
using core::ApiConfigSource;

NodeIdentity toNode(core::Node node) {
  NodeIdentity identity;
  identity.id = node.id();
  identity.cluster = node.cluster();
  identity.locality = {node.locality().region(), node.locality().zone(),
                       node.locality().sub_zone()};
  const auto& fields = node.metadata().fields();
  if (const auto labels = fields.find("labels"); labels != fields.end()) {
    for (const auto& [key, value] : labels->second.struct_value().fields()) {
      if (value.kind_case() == google::protobuf::Value::kStringValue) {
        identity.labels[key] = value.string_value();
      }
    }
  }
  node.set_user_agent_name("convoy-proxy");
  node.set_user_agent_version(std::string(base::kVersion));
  node.SerializePartialToString(&identity.encoded);
  return identity;
}

AdsSpec toAds(const ApiConfigSource& ads, base::FieldReport& report) {
  AdsSpec spec;
  if (ads.api_type() != ApiConfigSource::DELTA_GRPC) {
    report.error("api_type", "unsupported_value", ApiConfigSource::ApiType_Name(ads.api_type()),
                 "write DELTA_GRPC: configuration comes by incremental ADS");
  }
  if (ads.transport_api_version() != core::V3) {
    report.error("transport_api_version", "unsupported_value",
                 core::ApiVersion_Name(ads.transport_api_version()), "write V3");
  }
  if (ads.grpc_services_size() != 1) {
    report.error("grpc_services", "required", std::to_string(ads.grpc_services_size()),
                 "exactly one is needed: {envoy_grpc: {cluster_name: ...}}");
    return spec;
  }
  spec.cluster = ads.grpc_services(0).envoy_grpc().cluster_name();
  spec.authority = ads.grpc_services(0).envoy_grpc().authority();
  const uint32_t most = ads.grpc_services(0).envoy_grpc().max_receive_message_length().value();
  if (most > 0) spec.max_response_bytes = most;
  return spec;
}

// lds_config and cds_config: true if it is set.
bool takeSource(bool has, const core::ConfigSource& source, std::string_view field, bool has_ads,
                Milliseconds* timeout, base::FieldReport& report) {
  if (!has) return false;
  auto at = report.in(field);
  *timeout = toFetchTimeout(source, report);
  if (source.has_ads() && !has_ads) {
    report.error("ads", "required", "", "dynamic_resources.ads_config says where ADS is; add it");
  }
  return true;
}

void setDynamic(const proto::Bootstrap& proto, BootstrapSpec* spec, base::FieldReport& report) {
  const auto& dynamic = proto.dynamic_resources();
  auto at = report.in("dynamic_resources");
  if (dynamic.has_ads_config()) {
    auto in = report.in("ads_config");
    spec->ads = toAds(dynamic.ads_config(), report);
  }
  spec->lds = takeSource(dynamic.has_lds_config(), dynamic.lds_config(), "lds_config",
                         spec->ads.has_value(), &spec->lds_fetch_timeout, report);
  spec->cds = takeSource(dynamic.has_cds_config(), dynamic.cds_config(), "cds_config",
                         spec->ads.has_value(), &spec->cds_fetch_timeout, report);
}

AdminSpec toAdmin(const proto::Admin& proto, const Context& context, base::FieldReport& report) {
  AdminSpec admin;
  if (proto.has_address()) {
    auto at = report.in("address");
    if (auto address = toAddress(proto.address(), Port::Any, report); address.has_value()) {
      admin.address = *std::move(address);
    }
  } else {
    report.error("address", "required", "", "the admin endpoint needs an address");
  }
  admin.access_log_path = proto.access_log_path();
  const auto logs = toAccessLogs(proto.access_log(), "access_log", context, report);
  if (logs.size() > 1 || (!logs.empty() && !admin.access_log_path.empty())) {
    report.error("access_log", "unsupported_value", "", "the admin endpoint has one access log");
  } else if (!logs.empty()) {
    admin.access_log_path = logs[0].path;
    if (!logs[0].text_format.empty() || logs[0].format != http::AccessLogSpec::Format::Text) {
      report.error("access_log[0]", "unsupported_value", "",
                   "the format of the admin endpoint's log cannot be chosen; remove it");
    }
  }
  return admin;
}

void setStatic(const proto::Bootstrap& proto, const Context& context, BootstrapSpec* spec,
               base::FieldReport& report) {
  auto at = report.in("static_resources");
  const auto& resources = proto.static_resources();
  for (int i = 0; i < resources.secrets_size(); ++i) {
    auto in = report.in("secrets", static_cast<size_t>(i));
    spec->secrets.push_back(toSecret(resources.secrets(i), context, report));
  }
  for (int i = 0; i < resources.clusters_size(); ++i) {
    auto in = report.in("clusters", static_cast<size_t>(i));
    spec->clusters.push_back(toCluster(resources.clusters(i), context, report));
  }
  for (int i = 0; i < resources.listeners_size(); ++i) {
    auto in = report.in("listeners", static_cast<size_t>(i));
    spec->listeners.push_back(toListener(resources.listeners(i), context, report));
  }
}

}  // namespace

BootstrapSpec toBootstrap(const proto::Bootstrap& proto, const Context& context,
                          base::FieldReport& report) {
  BootstrapSpec spec;
  spec.node = toNode(proto.node());
  spec.local_cluster = proto.cluster_manager().local_cluster_name();
  RuntimeLimits limits = readRuntimeLayers(proto.layered_runtime(), report);
  spec.max_downstream_connections = limits.downstream_connections;
  spec.listener_connection_limits = std::move(limits.listener_connections);
  if (proto.has_admin()) {
    auto at = report.in("admin");
    spec.admin = toAdmin(proto.admin(), context, report);
  }
  spec.dns = toNodeResolver(proto, context, report);
  setDynamic(proto, &spec, report);
  setStatic(proto, context, &spec, report);
  proto::Bootstrap shown = proto;
  shown.mutable_node()->ParsePartialFromString(spec.node.encoded);
  shown.SerializePartialToString(&spec.encoded);
  if (report.ok()) crossCheck(spec, report);
  return spec;
}

}  // namespace convoy::config
