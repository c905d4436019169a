#include <memory>

#include "tools/ctl/bootstrap.h"
#include "tools/ctl/client.h"
#include "tools/ctl/commands.h"
#include "tools/ctl/views.h"
#include "tools/ctl/yaml_writer.h"

namespace convoy::tools::ctl {

namespace {

struct FleetFlags {
  std::vector<std::string> labels;
  bool watch = false;
  bool check = false;
  BootstrapOptions bootstrap;
};

// False, having complained, if one is not KEY=VALUE.
template <typename Map>
bool readLabels(Session& session, const std::vector<std::string>& labels, Map* out) {
  for (const std::string& label : labels) {
    const size_t equals = label.find('=');
    if (equals == std::string::npos || equals == 0) {
      complain(session, kBadInput, "--label " + label + ": must be KEY=VALUE");
      return false;
    }
    (*out)[label.substr(0, equals)] = label.substr(equals + 1);
  }
  return true;
}

int watchNodes(Session& session, Client& client, const v1::NodeSelector& nodes) {
  v1::WatchNodesRequest request;
  *request.mutable_nodes() = nodes;
  grpc::ClientContext context;
  const auto reader = client.fleet().WatchNodes(&context, request);
  v1::WatchNodesResponse response;
  Table table = nodeTable();
  while (reader->Read(&response)) {
    if (session.output == Output::Json) {
      session.out << toJson(response, JsonStyle::OneLine);
    } else if (session.output == Output::Yaml) {
      session.out << "---\n" << toYaml(response);
    } else if (response.has_node()) {
      printNodes({response.node()}, table, session.out);
    } else if (!response.removed().empty()) {
      session.out << "node " << response.removed() << " is no longer listed\n";
    }
    session.out.flush();
  }
  return fail(session, client, reader->Finish());
}

int judge(const v1::ListNodesResponse& all) {
  for (const v1::Node& node : all.nodes()) {
    if (node.state() != v1::Node::SYNCED) return kNodesBehind;
  }
  return kOk;
}

int status(Session& session, const FleetFlags& flags) {
  v1::ListNodesRequest request;
  if (!readLabels(session, flags.labels, request.mutable_nodes()->mutable_labels())) {
    return kBadInput;
  }
  int code = kOk;
  const std::unique_ptr<Client> client = Client::forSession(session, &code);
  if (client == nullptr) return code;
  if (flags.watch) return watchNodes(session, *client, request.nodes());
  v1::ListNodesResponse all;
  do {
    grpc::ClientContext context;
    setDeadline(session, 0, &context);
    request.set_page_token(all.next_page_token());
    v1::ListNodesResponse response;
    const grpc::Status result = client->fleet().ListNodes(&context, request, &response);
    if (!result.ok()) return fail(session, *client, result);
    all.mutable_nodes()->MergeFrom(response.nodes());
    all.set_next_page_token(response.next_page_token());
    all.set_revision(response.revision());
  } while (!all.next_page_token().empty());
  if (session.output == Output::Json) {
    session.out << toJson(all);
  } else if (session.output == Output::Yaml) {
    session.out << toYaml(all);
  } else {
    session.out << "control plane " << client->address() << ", revision " << all.revision() << "\n";
    printNodes({all.nodes().begin(), all.nodes().end()}, session.out);
  }
  return flags.check ? judge(all) : kOk;
}

int bootstrap(Session& session, FleetFlags flags) {
  if (!readLabels(session, flags.labels, &flags.bootstrap.labels)) return kBadInput;
  flags.bootstrap.tls = session.tls;
  const absl::StatusOr<std::string> yaml = makeBootstrap(flags.bootstrap);
  if (!yaml.ok()) return complain(session, kBadInput, std::string(yaml.status().message()));
  session.out << *yaml;
  return kOk;
}

}  // namespace

void addFleetCommands(CLI::App& app, Runner& runner) {
  const auto flags = std::make_shared<FleetFlags>();
  Session& session = runner.session;
  CLI::App* status_command =
      app.add_subcommand("status", "Show the nodes: state, revision, and what they refuse");
  status_command->add_option("--label", flags->labels, "Only nodes with this label")
      ->type_name("KEY=VALUE");
  CLI::Option* watch =
      status_command->add_flag("--watch", flags->watch, "Go on, showing each change");
  status_command->add_flag("--check", flags->check, "Exit code 6 unless every node is synced")
      ->excludes(watch);
  status_command->callback([&session, flags, &runner] {
    runner.action = [&session, flags] { return status(session, *flags); };
  });

  CLI::App* node = app.add_subcommand("node", "What concerns a single node");
  node->require_subcommand(1);
  CLI::App* command =
      node->add_subcommand("bootstrap", "Print a configuration to start a new convoy-proxy with");
  BootstrapOptions& options = flags->bootstrap;
  command->add_option("--id", options.id, "Identity of the node, unique in the fleet")
      ->required()
      ->type_name("ID");
  command
      ->add_option("--control-plane", options.control_plane,
                   "Where convoy-control serves xDS: IP:PORT, NAME:PORT or unix:/path")
      ->capture_default_str()
      ->type_name("ADDRESS");
  command
      ->add_option("--server-name", options.server_name,
                   "With --ca: the DNS name that the control plane's certificate must have; "
                   "default: the name or IP address of --control-plane")
      ->type_name("NAME");
  command->footer("--ca, --cert and --key are paths on the node, which reads these files itself.");
  command->add_option("--cluster", options.cluster, "node.cluster; default convoy")
      ->type_name("NAME");
  command
      ->add_option("--zone", options.zone,
                   "Where the node is, for pools that are zone_aware; default: nowhere")
      ->type_name("NAME");
  command->add_option("--label", flags->labels, "Label for node selectors; may be repeated")
      ->type_name("KEY=VALUE");
  command
      ->add_option("--admin", options.admin,
                   "Admin endpoint; port 0: a free one; none: no endpoint")
      ->capture_default_str()
      ->type_name("ADDRESS");
  command->callback([&session, flags, &runner] {
    runner.action = [&session, flags] { return bootstrap(session, *flags); };
  });
}

}  // namespace convoy::tools::ctl
