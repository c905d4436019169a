#include "tools/ctl/views.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "google/protobuf/util/time_util.h"
#include "tools/ctl/kinds.h"
#include "tools/ctl/line_diff.h"
#include "tools/ctl/yaml_writer.h"

namespace convoy::tools::ctl {

namespace {

std::string counted(int64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string join(const std::vector<std::string>& parts, const std::string& separator) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : separator) + part;
  return out;
}

std::string selectorText(const v1::NodeSelector& nodes) {
  std::vector<std::string> labels;
  for (const auto& [key, value] : nodes.labels()) labels.push_back(key + "=" + value);
  std::sort(labels.begin(), labels.end());
  return labels.empty() ? "" : ", on nodes " + join(labels, ",");
}

std::string backendText(const v1::Backend& backend) {
  std::string text = "weight " + std::to_string(backend.weight());
  if (backend.has_max_connections()) {
    text += ", at most " + counted(backend.max_connections(), "connection");
  }
  if (backend.has_enabled() && !backend.enabled()) text += ", disabled";
  return text + selectorText(backend.nodes());
}

std::string algorithmText(v1::Algorithm algorithm) {
  const std::string prefix = "ALGORITHM_";
  const v1::Algorithm shown =
      algorithm == v1::ALGORITHM_UNSPECIFIED ? v1::ALGORITHM_WEIGHTED_LEAST_CONNECTIONS : algorithm;
  return lower(v1::Algorithm_Name(shown).substr(prefix.size()));
}

// The first names, and how many more there are.
std::string namesText(const v1::CertificateInfo& info) {
  constexpr int kShown = 3;
  std::vector<std::string> names;
  for (const std::string& name : info.subject_alt_names()) {
    if (names.size() == kShown) break;
    names.push_back(name.rfind("DNS:", 0) == 0 ? name.substr(4) : name);
  }
  if (names.empty()) return info.subject();
  const int more = info.subject_alt_names_size() - kShown;
  return join(names, " ") + (more > 0 ? " and " + std::to_string(more) + " more" : "");
}

std::string certificateText(const v1::CertificateInfo& info,
                            std::chrono::system_clock::time_point now) {
  const int64_t seconds =
      info.not_after().seconds() -
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const std::string day = timeText(info.not_after()).substr(0, 10);
  const std::string expiry =
      seconds < 0 ? "EXPIRED " + day
                  : "expires " + day + " (in " + counted(seconds / 86'400, "day") + ")";
  const std::string what = info.has_private_key()
                               ? info.key_type()
                               : "trusts " + std::to_string(info.count()) +
                                     (info.count() == 1 ? " authority" : " authorities");
  return what + ", " + namesText(info) + ", " + expiry;
}

std::string summaryOf(const v1::Resource& resource, std::chrono::system_clock::time_point now) {
  switch (resource.resource_case()) {
    case v1::Resource::kListener: {
      const v1::Listener& listener = resource.listener();
      std::vector<std::string> addresses;
      if (!listener.address().empty()) addresses.push_back(listener.address());
      addresses.insert(addresses.end(), listener.addresses().begin(), listener.addresses().end());
      return join(addresses, " ") + ", " +
             (listener.has_tls() ? "TLS " +
                                       join({listener.tls().certificates().begin(),
                                             listener.tls().certificates().end()},
                                            " ") +
                                       ", "
                                 : "") +
             (listener.route_table().empty() ? counted(listener.routes_size(), "route")
                                             : "route table " + listener.route_table()) +
             selectorText(listener.nodes());
    }
    case v1::Resource::kRouteTable:
      return counted(resource.route_table().routes_size(), "route");
    case v1::Resource::kPool:
      return algorithmText(resource.pool().algorithm()) + ", " +
             counted(resource.pool().backends_size(), "backend") +
             (!resource.pool().has_tls()                           ? ""
              : resource.pool().tls().insecure_skip_verification() ? ", TLS not verified"
                                                                   : ", TLS");
    case v1::Resource::kBackend:
      return backendText(resource.backend());
    case v1::Resource::kCertificate:
      return certificateText(resource.certificate().info(), now);
    case v1::Resource::RESOURCE_NOT_SET:
      break;
  }
  return "";
}

std::string operationText(v1::Change::Operation operation) {
  return lower(v1::Change::Operation_Name(operation));
}

std::string shortType(const std::string& type_url) {
  return type_url.substr(type_url.find_last_of("./") + 1);
}

std::string listenersText(const v1::Node& node) {
  std::vector<std::string> bound;
  for (const auto& address : node.report().bound_addresses()) {
    bound.push_back(address.listener() + "=" + address.actual());
  }
  return join(bound, " ");
}

void indent(const std::string& text, std::ostream& out) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = text.find('\n', at);
    out << "    " << text.substr(at, end - at) << "\n";
    at = end + 1;
  }
}

}  // namespace

std::string timeText(const google::protobuf::Timestamp& time) {
  google::protobuf::Timestamp seconds;
  seconds.set_seconds(time.seconds());
  return time.seconds() == 0 ? "" : google::protobuf::util::TimeUtil::ToString(seconds);
}

void printResources(const std::vector<v1::Resource>& resources,
                    std::chrono::system_clock::time_point now, std::ostream& out) {
  if (resources.empty()) {
    out << "nothing\n";
    return;
  }
  Table table({"KIND", "NAME", "REVISION", "SUMMARY"});
  for (const v1::Resource& resource : resources) {
    const v1::ResourceId id = idOf(resource);
    table.add({kindText(id.kind()), id.name(), std::to_string(resource.revision()),
               summaryOf(resource, now)});
  }
  table.print(out);
}

void printChanges(const google::protobuf::RepeatedPtrField<v1::Change>& changes, int64_t count,
                  std::ostream& out) {
  for (const v1::Change& change : changes) {
    out << "  " << operationText(change.operation()) << " " << printable(idText(change.id()))
        << "\n";
    if (change.has_before() && change.has_after()) {
      indent(lineDiff(toYaml(contentOf(change.before())), toYaml(contentOf(change.after()))), out);
    }
  }
  if (count > changes.size()) out << "  and " << count - changes.size() << " more\n";
}

std::string countChanges(const google::protobuf::RepeatedPtrField<v1::Change>& changes,
                         int64_t count) {
  if (count > changes.size()) return counted(count, "change");
  std::map<v1::Change::Operation, int64_t> counts;
  for (const v1::Change& change : changes) ++counts[change.operation()];
  std::vector<std::string> parts;
  for (const auto& [operation, number] : counts) {
    parts.push_back(std::to_string(number) + " " + operationText(operation));
  }
  return join(parts, ", ");
}

void printHistory(const std::vector<v1::Revision>& revisions, bool contents, std::ostream& out) {
  if (revisions.empty()) {
    out << "no revisions\n";
    return;
  }
  if (!contents) {
    Table table({"REVISION", "TIME", "AUTHOR", "CHANGES", "COMMENT"});
    for (const v1::Revision& revision : revisions) {
      table.add({std::to_string(revision.number()), timeText(revision.create_time()),
                 revision.author(), countChanges(revision.changes(), revision.change_count()),
                 revision.comment()});
    }
    table.print(out);
    return;
  }
  for (const v1::Revision& revision : revisions) {
    out << "revision " << revision.number() << "  " << timeText(revision.create_time()) << "  "
        << printable(revision.author()) << "  " << printable(revision.comment()) << "\n";
    printChanges(revision.changes(), revision.change_count(), out);
  }
}

std::string nodeErrorText(const v1::Node& node, const v1::NodeError& error) {
  const ext::ResourceError& what = error.error();
  std::string text = "node " + node.id() + " refuses";
  if (!what.name().empty()) text += " " + shortType(what.type_url()) + " " + what.name();
  text += ": ";
  if (!what.field_path().empty()) text += what.field_path() + ": ";
  text += what.reason();
  if (!what.rule().empty()) {
    text += " (" + what.rule() + (what.value().empty() ? "" : ": " + what.value()) + ")";
  }
  return printable(text + ", of revision " + std::to_string(error.revision()));
}

// What becomes of a backend, before the reason.
std::string fateOf(const ext::NodeReport::UnhealthyHost& host) {
  switch (host.out_by()) {
    case ext::NodeReport::OUT_BY_BREAKER_OPEN:
      return " gets no requests: ";
    case ext::NodeReport::OUT_BY_BREAKER_HALF_OPEN:
      return " gets one request at a time: ";
    case ext::NodeReport::OUT_BY_RECOVERY:
      return " gets no requests yet: ";
    default:
      return host.ejected() ? " is ejected: " : " fails its health check: ";
  }
}

void printBackends(const v1::Node& node, std::ostream& out) {
  const ext::NodeReport& report = node.report();
  const std::string who = "node " + node.id() + ": ";
  const auto backend = [&](const auto& host) {
    return who + "backend " + host.cluster() + "/" + host.address();
  };
  const auto more = [&](uint64_t count, int shown, const char* what) {
    const auto of_them = static_cast<uint64_t>(shown);
    if (count > of_them) out << printable(who) << count - of_them << " more backends " << what;
  };
  for (const auto& host : report.unhealthy_hosts()) {
    out << printable(backend(host) + fateOf(host) + host.reason()) << "\n";
  }
  more(report.unhealthy_host_count(), report.unhealthy_hosts_size(),
       "get no requests, or one at a time\n");
  for (const auto& host : report.finishing_hosts()) {
    const bool removed = host.state() == ext::NodeReport::FinishingHost::STATE_REMOVED;
    out << printable(backend(host) + (removed ? " was removed" : " drains") + " and still has " +
                     counted(static_cast<int64_t>(host.requests()), "request") + ", " +
                     counted(static_cast<int64_t>(host.connections()), "connection"))
        << "\n";
  }
  more(report.finishing_host_count(), report.finishing_hosts_size(), "finish what they have\n");
}

// The first fields by resource, and how many more there are.
void printIgnoredFields(const v1::Node& node, std::ostream& out) {
  constexpr int kShown = 5;
  const ext::NodeReport& report = node.report();
  const auto count = static_cast<int64_t>(report.ignored_field_count());
  if (count == 0) return;
  std::string text = "node " + node.id() + ": " + counted(count, "field") + " without effect";
  const int shown = std::min(report.ignored_fields_size(), kShown);
  for (int i = 0; i < shown; ++i) {
    const auto& field = report.ignored_fields(i);
    const bool same = i > 0 && report.ignored_fields(i - 1).type_url() == field.type_url() &&
                      report.ignored_fields(i - 1).name() == field.name();
    if (!same) text += (i > 0 ? "; " : ": ") + shortType(field.type_url()) + " " + field.name();
    text += (same ? ", " : ": ") + field.field_path() + (field.unknown() ? " (unknown)" : "");
  }
  if (count > shown) text += ", and " + std::to_string(count - shown) + " more";
  out << printable(text) << "\n";
}

void printNodes(const std::vector<v1::Node>& nodes, std::ostream& out) {
  if (nodes.empty()) {
    out << "no nodes; `convoyctl node bootstrap --id ID --control-plane ADDRESS` prints a "
           "configuration to start one with\n";
    return;
  }
  Table table = nodeTable();
  printNodes(nodes, table, out);
}

Table nodeTable() {
  return Table({"NODE", "STATE", "REVISION", "ERRORS", "PROGRAM", "PEER", "LISTENERS"});
}

void printNodes(const std::vector<v1::Node>& nodes, Table& table, std::ostream& out) {
  for (const v1::Node& node : nodes) {
    table.add({node.id(), lower(v1::Node::State_Name(node.state())),
               std::to_string(node.acknowledged_revision()), std::to_string(node.errors_size()),
               node.user_agent(), node.peer(), listenersText(node)});
  }
  table.print(out);
  for (const v1::Node& node : nodes) {
    for (const v1::NodeError& error : node.errors()) out << nodeErrorText(node, error) << "\n";
    printBackends(node, out);
    printIgnoredFields(node, out);
    if (node.connections() > 1) {
      out << "node " << node.id() << " is connected " << node.connections()
          << " times; if this lasts, several processes use its id: give each its own\n";
    }
  }
}

}  // namespace convoy::tools::ctl
