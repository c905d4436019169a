#include "proxy/admin/config_dump.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <re2/re2.h>

#include "absl/strings/str_cat.h"
#include "envoy/config/bootstrap/v3/bootstrap.pb.h"
#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "envoy/extensions/transport_sockets/tls/v3/secret.pb.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/struct.pb.h"
#include "proxy/admin/json.h"
#include "proxy/admin/redaction.h"
#include "proxy/base/strings.h"
#include "proxy/config/resources.h"

namespace convoy::admin {

namespace {

using envoy::admin::v3::BootstrapConfigDump;
using envoy::admin::v3::ClientResourceStatus;
using envoy::admin::v3::ClustersConfigDump;
using envoy::admin::v3::ConfigDump;
using envoy::admin::v3::EndpointsConfigDump;
using envoy::admin::v3::ListenersConfigDump;
using envoy::admin::v3::RoutesConfigDump;
using envoy::admin::v3::SecretsConfigDump;
using envoy::admin::v3::UpdateFailureState;
using envoy::config::bootstrap::v3::Bootstrap;
using envoy::config::listener::v3::Listener;
using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;
using google::protobuf::Any;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Timestamp;
using xds::ResourceArchive;

constexpr std::string_view kTypePrefix = "type.googleapis.com/";

void setTime(event::WallTime time, Timestamp* out) {
  const int64_t ns = time.time_since_epoch().count();
  out->set_seconds(ns / 1'000'000'000);
  out->set_nanos(static_cast<int32_t>(ns % 1'000'000'000));
}

Any anyOf(std::string_view type_url, const std::string& bytes) {
  Any any;
  any.set_type_url(std::string(type_url));
  any.set_value(bytes);
  return any;
}

// --- what is asked for ---

struct Query {
  bool endpoints = false;
  std::string resource;  // empty: everything
  std::unique_ptr<RE2> name;

  bool wants(const std::string& resource_name) const {
    return name == nullptr || RE2::FullMatch(resource_name, *name);
  }
};

Response refuse(int status, std::string why) {
  return {status, kPlainText, std::move(why) + "\n"};
}

// --- the sections ---

class Dump {
 public:
  Dump(const ConfigSource& source, const Query& query) : query_(query), archive_(source.dynamic) {
    bootstrap_.ParsePartialFromString(std::string(source.bootstrap));
    setTime(source.started, &started_);
  }

  BootstrapConfigDump bootstrap() const {
    BootstrapConfigDump dump;
    *dump.mutable_bootstrap() = bootstrap_;
    *dump.mutable_last_updated() = started_;
    return dump;
  }
  ClustersConfigDump clusters() const;
  EndpointsConfigDump endpoints() const;
  ListenersConfigDump listeners() const;
  RoutesConfigDump routes() const;
  SecretsConfigDump secrets() const;

 private:
  using Entry = ResourceArchive::Entry;

  template <class Visitor>
  void forEach(const char* type_url, const Visitor& visit) const {
    const ResourceArchive::Type* type = archive_ == nullptr ? nullptr : archive_->find(type_url);
    if (type == nullptr) return;
    for (const auto& [name, entry] : type->resources) {
      if (query_.wants(name)) visit(name, entry);
    }
  }
  std::string versionOf(const char* type_url) const {
    const ResourceArchive::Type* type = archive_ == nullptr ? nullptr : archive_->find(type_url);
    return type == nullptr ? "" : type->version;
  }
  static ClientResourceStatus statusOf(const Entry& entry) {
    return entry.refused.has_value() ? envoy::admin::v3::NACKED : envoy::admin::v3::ACKED;
  }
  static void fillError(const char* type_url, const Entry& entry, UpdateFailureState* out) {
    const ResourceArchive::Refusal& refusal = *entry.refused;
    if (!refusal.what.bytes.empty()) {
      *out->mutable_failed_configuration() = anyOf(type_url, refusal.what.bytes);
    }
    setTime(refusal.what.time, out->mutable_last_update_attempt());
    out->set_details(refusal.details);
    out->set_version_info(refusal.what.version);
  }
  void addInlineRoutes(const Listener& listener, const Timestamp& updated,
                       RoutesConfigDump* dump) const;
  void addInlineRoutes(const envoy::config::listener::v3::FilterChain& chain,
                       const Timestamp& updated, RoutesConfigDump* dump) const;

  const Query& query_;
  const ResourceArchive* const archive_;
  Bootstrap bootstrap_;
  Timestamp started_;
};

ClustersConfigDump Dump::clusters() const {
  ClustersConfigDump dump;
  dump.set_version_info(versionOf(config::kClusterType));
  for (const auto& cluster : bootstrap_.static_resources().clusters()) {
    if (!query_.wants(cluster.name())) continue;
    auto* out = dump.add_static_clusters();
    out->mutable_cluster()->PackFrom(cluster);
    *out->mutable_last_updated() = started_;
  }
  forEach(config::kClusterType, [&](const std::string&, const Entry& entry) {
    const auto add = [&](const std::optional<ResourceArchive::Received>& received, auto* out,
                         bool with_error) {
      if (received.has_value()) {
        out->set_version_info(received->version);
        *out->mutable_cluster() = anyOf(config::kClusterType, received->bytes);
        setTime(received->time, out->mutable_last_updated());
      }
      out->set_client_status(statusOf(entry));
      if (with_error && entry.refused.has_value()) {
        fillError(config::kClusterType, entry, out->mutable_error_state());
      }
    };
    if (entry.active.has_value()) add(entry.active, dump.add_dynamic_active_clusters(), true);
    // One that was never accepted is nowhere in force either.
    if (entry.warming.has_value() || !entry.active.has_value()) {
      add(entry.warming, dump.add_dynamic_warming_clusters(), !entry.active.has_value());
    }
  });
  return dump;
}

EndpointsConfigDump Dump::endpoints() const {
  EndpointsConfigDump dump;
  for (const auto& cluster : bootstrap_.static_resources().clusters()) {
    if (!cluster.has_load_assignment() || !query_.wants(cluster.name())) continue;
    auto* out = dump.add_static_endpoint_configs();
    out->mutable_endpoint_config()->PackFrom(cluster.load_assignment());
    *out->mutable_last_updated() = started_;
  }
  forEach(config::kAssignmentType, [&](const std::string&, const Entry& entry) {
    auto* out = dump.add_dynamic_endpoint_configs();
    if (entry.active.has_value()) {
      out->set_version_info(entry.active->version);
      *out->mutable_endpoint_config() = anyOf(config::kAssignmentType, entry.active->bytes);
      setTime(entry.active->time, out->mutable_last_updated());
    }
    out->set_client_status(statusOf(entry));
    if (entry.refused.has_value()) {
      fillError(config::kAssignmentType, entry, out->mutable_error_state());
    }
  });
  return dump;
}

ListenersConfigDump Dump::listeners() const {
  ListenersConfigDump dump;
  dump.set_version_info(versionOf(config::kListenerType));
  for (const auto& listener : bootstrap_.static_resources().listeners()) {
    if (!query_.wants(listener.name())) continue;
    auto* out = dump.add_static_listeners();
    out->mutable_listener()->PackFrom(listener);
    *out->mutable_last_updated() = started_;
  }
  forEach(config::kListenerType, [&](const std::string& name, const Entry& entry) {
    auto* out = dump.add_dynamic_listeners();
    out->set_name(name);
    const auto fillState = [](const ResourceArchive::Received& received, auto* state) {
      state->set_version_info(received.version);
      *state->mutable_listener() = anyOf(config::kListenerType, received.bytes);
      setTime(received.time, state->mutable_last_updated());
    };
    if (entry.active.has_value()) fillState(*entry.active, out->mutable_active_state());
    if (entry.warming.has_value()) fillState(*entry.warming, out->mutable_warming_state());
    if (entry.refused.has_value()) {
      fillError(config::kListenerType, entry, out->mutable_error_state());
    }
    out->set_client_status(statusOf(entry));
  });
  return dump;
}

RoutesConfigDump Dump::routes() const {
  RoutesConfigDump dump;
  for (const auto& listener : bootstrap_.static_resources().listeners()) {
    addInlineRoutes(listener, started_, &dump);
  }
  const ResourceArchive::Type* listeners =
      archive_ == nullptr ? nullptr : archive_->find(config::kListenerType);
  if (listeners != nullptr) {
    for (const auto& [name, entry] : listeners->resources) {
      Listener listener;
      if (!entry.active.has_value() || !listener.ParseFromString(entry.active->bytes)) continue;
      Timestamp updated;
      setTime(entry.active->time, &updated);
      addInlineRoutes(listener, updated, &dump);
    }
  }
  forEach(config::kRouteTableType, [&](const std::string&, const Entry& entry) {
    auto* out = dump.add_dynamic_route_configs();
    // A table that waits for its clusters counts as the newest, as Envoy has no place for it.
    const auto& newest = entry.warming.has_value() ? entry.warming : entry.active;
    if (newest.has_value()) {
      out->set_version_info(newest->version);
      *out->mutable_route_config() = anyOf(config::kRouteTableType, newest->bytes);
      setTime(newest->time, out->mutable_last_updated());
    }
    out->set_client_status(statusOf(entry));
    if (entry.refused.has_value()) {
      fillError(config::kRouteTableType, entry, out->mutable_error_state());
    }
  });
  return dump;
}

// Names and versions; what is in a secret is nowhere kept for this.
SecretsConfigDump Dump::secrets() const {
  using envoy::extensions::transport_sockets::tls::v3::Secret;
  SecretsConfigDump dump;
  for (const Secret& secret : bootstrap_.static_resources().secrets()) {
    if (!query_.wants(secret.name())) continue;
    auto* out = dump.add_static_secrets();
    out->set_name(secret.name());
    out->mutable_secret()->PackFrom(secret);
    *out->mutable_last_updated() = started_;
  }
  forEach(config::kSecretType, [&](const std::string& name, const Entry& entry) {
    auto* out = entry.active.has_value() ? dump.add_dynamic_active_secrets()
                                         : dump.add_dynamic_warming_secrets();
    out->set_name(name);
    Secret shown;
    shown.set_name(name);
    out->mutable_secret()->PackFrom(shown);
    if (entry.active.has_value()) {
      out->set_version_info(entry.active->version);
      setTime(entry.active->time, out->mutable_last_updated());
    }
    out->set_client_status(statusOf(entry));
    if (entry.refused.has_value()) {
      fillError(config::kSecretType, entry, out->mutable_error_state());
    }
  });
  return dump;
}

void Dump::addInlineRoutes(const Listener& listener, const Timestamp& updated,
                           RoutesConfigDump* dump) const {
  for (const auto& chain : listener.filter_chains()) addInlineRoutes(chain, updated, dump);
  if (listener.has_default_filter_chain()) {
    addInlineRoutes(listener.default_filter_chain(), updated, dump);
  }
}

void Dump::addInlineRoutes(const envoy::config::listener::v3::FilterChain& chain,
                           const Timestamp& updated, RoutesConfigDump* dump) const {
  for (const auto& filter : chain.filters()) {
    HttpConnectionManager manager;
    if (!filter.typed_config().Is<HttpConnectionManager>() ||
        !filter.typed_config().UnpackTo(&manager) || !manager.has_route_config() ||
        !query_.wants(manager.route_config().name())) {
      continue;
    }
    auto* out = dump->add_static_route_configs();
    out->mutable_route_config()->PackFrom(manager.route_config());
    *out->mutable_last_updated() = updated;
  }
}

// --- choosing ---

template <class Section>
void addWhole(const Section& section, ConfigDump* dump) {
  dump->add_configs()->PackFrom(section);
}

// The entries of the list of that name, if the section has it.
bool addList(const Message& section, const std::string& name, ConfigDump* dump) {
  const FieldDescriptor* field = section.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || !field->is_repeated()) return false;
  const auto& reflection = *section.GetReflection();
  for (int i = 0; i < reflection.FieldSize(section, field); ++i) {
    dump->add_configs()->PackFrom(reflection.GetRepeatedMessage(section, field, i));
  }
  return true;
}

std::string listsOf(const std::vector<const Message*>& sections) {
  std::string names = "bootstrap";
  for (const Message* section : sections) {
    for (int i = 0; i < section->GetDescriptor()->field_count(); ++i) {
      const FieldDescriptor* field = section->GetDescriptor()->field(i);
      if (field->is_repeated()) absl::StrAppend(&names, ", ", field->name());
    }
  }
  return names;
}

// A resource that cannot be printed (it was refused, so it may be anything) is not shown.
void hideUnprintable(Message& message) {
  const auto& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> present;
  reflection.ListFields(message, &present);
  for (const FieldDescriptor* field : present) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int size = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < size; ++i) {
      Message& inner =
          *(field->is_repeated() ? reflection.MutableRepeatedMessage(&message, field, i)
                                 : reflection.MutableMessage(&message, field));
      if (inner.GetDescriptor() != Any::descriptor()) {
        hideUnprintable(inner);
        continue;
      }
      const absl::Status printed = toJson(inner).status();
      if (printed.ok()) continue;
      google::protobuf::Struct shown;
      (*shown.mutable_fields())["not_shown"].set_string_value(std::string(printed.message()));
      static_cast<Any&>(inner).PackFrom(shown);
    }
  }
}

Response print(ConfigDump dump) {
  redact(dump);
  absl::StatusOr<std::string> text = toJson(dump);
  for (Any& config : *dump.mutable_configs()) {
    if (text.ok()) break;
    // Sections are Any too: look inside.
    const std::string name = config.type_url().substr(kTypePrefix.size());
    const auto* type =
        google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(name);
    std::unique_ptr<Message> section(
        google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
    section->ParsePartialFromString(config.value());
    hideUnprintable(*section);
    config.set_value(section->SerializePartialAsString());
  }
  if (!text.ok()) text = toJson(dump);
  if (!text.ok()) {
    return refuse(500, absl::StrCat("cannot print the configuration: ", text.status().message()));
  }
  return {200, kJson, *std::move(text)};
}

}  // namespace

Response configDump(const ConfigSource& source, const Request& request) {
  Query query;
  query.endpoints = request.parameter("include_eds").has_value();
  query.resource = request.parameter("resource").value_or("");
  if (request.parameter("mask").has_value()) {
    return refuse(400, "?mask= is not supported; ?resource= chooses one list");
  }
  if (const auto pattern = request.parameter("name_regex"); pattern.has_value()) {
    query.name = std::make_unique<RE2>(*pattern, RE2::Quiet);
    if (!query.name->ok()) {
      return refuse(400, absl::StrCat("?name_regex=", *pattern, ": ", query.name->error()));
    }
  }
  const Dump dump(source, query);
  ConfigDump chosen;
  if (query.resource == "bootstrap") {
    addWhole(dump.bootstrap(), &chosen);
    return print(std::move(chosen));
  }
  const ClustersConfigDump clusters = dump.clusters();
  const EndpointsConfigDump endpoints = dump.endpoints();
  const ListenersConfigDump listeners = dump.listeners();
  const RoutesConfigDump routes = dump.routes();
  const SecretsConfigDump secrets = dump.secrets();
  if (query.resource.empty()) {
    addWhole(dump.bootstrap(), &chosen);
    addWhole(clusters, &chosen);
    if (query.endpoints) addWhole(endpoints, &chosen);
    addWhole(listeners, &chosen);
    addWhole(routes, &chosen);
    addWhole(secrets, &chosen);
    return print(std::move(chosen));
  }
  const std::vector<const Message*> sections = {&clusters, &endpoints, &listeners, &routes,
                                                &secrets};
  for (const Message* section : sections) {
    if (addList(*section, query.resource, &chosen)) return print(std::move(chosen));
  }
  return refuse(404, absl::StrCat("there is no list ", query.resource,
                                  " in the configuration; write one of: ", listsOf(sections)));
}

}  // namespace convoy::admin
