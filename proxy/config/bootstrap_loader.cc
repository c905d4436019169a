#include "proxy/config/bootstrap_loader.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include "envoy/config/bootstrap/v3/bootstrap.pb.h"
#include "proxy/config/bootstrap_convert.h"
#include "proxy/config/builtins.h"
#include "proxy/config/message_check.h"

namespace convoy::config {
namespace {

LoadedBootstrap unreadable(const std::string& path, const char* rule, const char* why) {
  LoadedBootstrap result;
  result.error_count = 1;
  result.errors.push_back(
      {path, {}, {"", rule, "", std::string("the file cannot be read: ") + why}});
  return result;
}

}  // namespace

std::string LocatedNote::text() const {
  std::string line = file;
  if (position.line != 0) {
    line += ':' + std::to_string(position.line) + ':' + std::to_string(position.column);
  }
  return line + ": " + note.field_path + ": has no effect: " + note.reason;
}

LoadedBootstrap loadBootstrap(std::string_view text, std::string_view file,
                              const BootstrapOptions& options) {
  envoy::config::bootstrap::v3::Bootstrap proto;
  Loaded loaded = loadYaml(text, file, &proto);
  LoadedBootstrap result;
  result.errors = std::move(loaded.errors);
  result.error_count = loaded.error_count;
  if (!loaded.ok()) return result;
  if (!options.service_node.empty()) proto.mutable_node()->set_id(options.service_node);
  if (!options.service_cluster.empty()) {
    proto.mutable_node()->set_cluster(options.service_cluster);
  }

  Context context;
  context.registry = options.registry != nullptr ? options.registry : &builtins();
  context.refuse_unknown_fields = true;
  context.read_files = true;
  context.sources = loaded.sources.get();
  base::FieldReport report;
  checkMessage(proto, context, report);
  BootstrapSpec spec = toBootstrap(proto, context, report);
  result.error_count = report.errorCount();
  result.errors = loaded.sources->locate(report.takeErrors());
  result.note_count = report.noteCount();
  for (base::FieldNote& note : report.takeNotes()) {
    const Position position = loaded.sources->find(note.field_path);
    result.notes.push_back({loaded.sources->file(), position, std::move(note)});
  }
  if (result.error_count == 0) result.spec = std::move(spec);
  return result;
}

LoadedBootstrap loadBootstrapFile(const std::string& path, const BootstrapOptions& options) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return unreadable(path, "folder", "it is a folder; write the path of a YAML or JSON file");
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable(path, "not_found", std::strerror(errno));
  const std::optional<std::string> text = readText(file);
  if (!text.has_value()) return unreadable(path, "too_large", "it has more than 64 MiB");
  if (file.bad()) return unreadable(path, "reading", "reading failed");
  // Most likely a mistake, and a node that serves nothing would look healthy.
  if (text->find_first_not_of(" \t\r\n") == std::string::npos) {
    return unreadable(path, "empty", "nothing is in it");
  }
  return loadBootstrap(*text, path, options);
}

Validation validateFile(const std::string& path, const BootstrapOptions& options) {
  const LoadedBootstrap loaded = loadBootstrapFile(path, options);
  Validation validation;
  for (const LocatedNote& note : loaded.notes) validation.output += note.text() + "\n";
  if (loaded.ok()) {
    validation.output += "configuration '" + path + "' OK\n";
  } else {
    validation.exit_code = 2;
    validation.output += loaded.errorText() + "\n";
  }
  return validation;
}

}  // namespace convoy::config
