#include "tools/ctl/contexts.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>
#include <variant>

#include "proxy/base/host_name.h"
#include "proxy/config/yaml_document.h"
#include "proxy/net/address.h"
#include "tools/ctl/yaml_writer.h"

namespace convoy::tools::ctl {

namespace {

using config::DocumentNode;

absl::Status wrong(const std::string& path, config::Position at, const std::string& what) {
  return absl::InvalidArgumentError(path + ":" + std::to_string(at.line) + ":" +
                                    std::to_string(at.column) + ": " + what);
}

bool takeText(const DocumentNode& node, std::string* out) {
  if (node.kind != DocumentNode::Kind::Scalar) return false;
  *out = node.text;
  return true;
}

absl::StatusOr<Context> readContext(const std::string& path, const DocumentNode& node) {
  Context context;
  for (const config::DocumentEntry& entry : node.entries) {
    std::string* field = entry.key == "name"      ? &context.name
                         : entry.key == "address" ? &context.address
                         : entry.key == "ca"      ? &context.tls.ca
                         : entry.key == "cert"    ? &context.tls.certificate
                         : entry.key == "key"     ? &context.tls.key
                                                  : nullptr;
    if (field == nullptr || !takeText(*entry.value, field)) {
      return wrong(path, entry.position,
                   "a context has name, address, ca, cert and key, all text, not " + entry.key);
    }
  }
  for (std::string* file : {&context.tls.ca, &context.tls.certificate, &context.tls.key}) {
    if (!file->empty()) *file = std::filesystem::path(path).parent_path() / *file;
  }
  if (context.name.empty() || context.address.empty()) {
    return wrong(path, node.position, "a context needs name and address");
  }
  return context;
}

absl::StatusOr<Contexts> read(const std::string& path, const DocumentNode& root) {
  Contexts contexts;
  for (const config::DocumentEntry& entry : root.entries) {
    if (entry.key == "current" && takeText(*entry.value, &contexts.current)) continue;
    if (entry.key != "contexts" || entry.value->kind != DocumentNode::Kind::List) {
      return wrong(path, entry.position,
                   "the file has `current`, a name, and `contexts`, a list, not " + entry.key);
    }
    for (const auto& item : entry.value->items) {
      absl::StatusOr<Context> context = readContext(path, *item);
      if (!context.ok()) return context.status();
      contexts.contexts.push_back(*std::move(context));
    }
  }
  return contexts;
}

absl::StatusOr<Context> contextOf(const std::string& path, const Contexts& contexts,
                                  const std::string& name) {
  const Context* context = contexts.find(name);
  if (context != nullptr) return *context;
  return absl::NotFoundError("no context \"" + name + "\" in " + path +
                             "; convoyctl context list shows them");
}

}  // namespace

const Context* Contexts::find(const std::string& name) const {
  for (const Context& context : contexts) {
    if (context.name == name) return &context;
  }
  return nullptr;
}

void Contexts::set(Context context) {
  for (Context& known : contexts) {
    if (known.name != context.name) continue;
    known = std::move(context);
    return;
  }
  contexts.push_back(std::move(context));
}

std::string contextsPath(const Session& session) {
  if (!session.contexts_file.empty()) return session.contexts_file;
  if (const std::string path = session.env("CONVOY_CONTEXTS"); !path.empty()) return path;
  std::string folder = session.env("XDG_CONFIG_HOME");
  if (folder.empty()) folder = session.env("HOME") + "/.config";
  return folder + "/convoy/contexts.yaml";
}

absl::StatusOr<Contexts> loadContexts(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::file_type type = std::filesystem::status(path, ignored).type();
  if (type == std::filesystem::file_type::not_found) return Contexts();
  if (type == std::filesystem::file_type::directory) {
    return absl::InvalidArgumentError(path + ": is a folder; contexts are kept in a file");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return absl::PermissionDeniedError(path + ": cannot be read: " + std::strerror(errno));
  }
  std::ostringstream text;
  text << file.rdbuf();
  const config::DocumentResult document = config::parseYaml(text.str(), {});
  if (const auto* error = std::get_if<config::DocumentError>(&document)) {
    return wrong(path, error->position, error->message);
  }
  return read(path, *std::get<config::DocumentRoot>(document));
}

absl::Status saveContexts(const std::string& path, const Contexts& contexts) {
  std::string text;
  if (!contexts.current.empty()) text += "current: " + yamlScalar(contexts.current) + "\n";
  text += contexts.contexts.empty() ? "contexts: []\n" : "contexts:\n";
  for (const Context& context : contexts.contexts) {
    text += "- name: " + yamlScalar(context.name) + "\n";
    const std::pair<const char*, const std::string&> fields[] = {
        {"address", context.address},
        {"ca", context.tls.ca},
        {"cert", context.tls.certificate},
        {"key", context.tls.key},
    };
    for (const auto& [field, value] : fields) {
      if (!value.empty()) text += std::string("  ") + field + ": " + yamlScalar(value) + "\n";
    }
  }
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  const std::string fresh = path + ".new";
  std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file.fail()) {
    const std::string why = std::strerror(errno);
    std::filesystem::remove(fresh, error);
    return absl::UnavailableError(fresh + ": cannot be written: " + why);
  }
  std::filesystem::rename(fresh, path, error);
  if (!error) return absl::OkStatus();
  const std::string why = error.message();
  std::filesystem::remove(fresh, error);
  return absl::UnavailableError(path + ": cannot be written: " + why);
}

absl::Status checkContextName(const std::string& name) {
  constexpr size_t kMostBytes = 128;
  const bool typed = std::all_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f;
  });
  if (typed && !name.empty() && name.size() <= kMostBytes && name.front() != '-') {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError("\"" + name +
                                    "\" is no name of a context; write 1 to 128 characters without "
                                    "blanks, such as production, and no \"-\" in front");
}

absl::Status checkAddress(const std::string& text, const std::string& example) {
  const absl::StatusOr<net::Address> address = net::Address::parse(text);
  const bool good = address.ok() ? !address->isIp() || address->port() != 0
                                 : base::parseNamedAddress(text).has_value();
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError("\"" + text +
                                    "\" is no address of a control plane; write IP:PORT, "
                                    "NAME:PORT or unix:/path, such as " +
                                    example);
}

absl::Status checkTls(const TlsPaths& tls, const std::string& address) {
  if (tls.empty()) return absl::OkStatus();
  if (address.rfind("unix:", 0) == 0) {
    return absl::InvalidArgumentError(address +
                                      ": a unix socket speaks no TLS; leave out --ca, --cert and "
                                      "--key");
  }
  if (tls.ca.empty()) {
    return absl::InvalidArgumentError(
        "--cert and --key need --ca: the authorities that signed the control plane's certificate");
  }
  if (tls.certificate.empty() != tls.key.empty()) {
    return absl::InvalidArgumentError("--cert and --key belong together");
  }
  return absl::OkStatus();
}

namespace {

absl::StatusOr<Context> named(const Session& session) {
  if (!session.server.empty()) return Context{"", session.server};
  const std::string from_env = session.env("CONVOY_SERVER");
  if (session.context.empty() && !from_env.empty()) return Context{"", from_env};
  const std::string path = contextsPath(session);
  const absl::StatusOr<Contexts> contexts = loadContexts(path);
  if (!contexts.ok()) return contexts.status();
  if (!session.context.empty()) return contextOf(path, *contexts, session.context);
  if (!contexts->current.empty()) return contextOf(path, *contexts, contexts->current);
  return Context{"", kDefaultServer};
}

}  // namespace

absl::StatusOr<Context> chosenServer(const Session& session) {
  absl::StatusOr<Context> server = named(session);
  if (!server.ok()) return server;
  if (!session.tls.ca.empty()) server->tls.ca = session.tls.ca;
  if (!session.tls.certificate.empty()) server->tls.certificate = session.tls.certificate;
  if (!session.tls.key.empty()) server->tls.key = session.tls.key;
  absl::Status status = checkAddress(server->address);
  if (status.ok()) status = checkTls(server->tls, server->address);
  if (!status.ok()) return status;
  return server;
}

}  // namespace convoy::tools::ctl
