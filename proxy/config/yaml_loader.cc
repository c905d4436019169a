#include "proxy/config/yaml_loader.h"

#include <utility>

#include "proxy/config/json_document.h"
#include "proxy/config/yaml_document.h"

namespace convoy::config {
namespace {

DocumentResult parse(std::string_view text, std::string_view file, const DocumentLimits& limits) {
  if (file.ends_with(".json")) return parseJson(text, limits);
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && (text[first] == '{' || text[first] == '[')) {
    // YAML's flow style begins like JSON, so that failing here says nothing.
    DocumentResult json = parseJson(text, limits);
    if (std::holds_alternative<DocumentRoot>(json)) return json;
  }
  return parseYaml(text, limits);
}

}  // namespace

std::string LocatedError::text() const {
  std::string line = file;
  if (position.line != 0) {
    line += ':' + std::to_string(position.line) + ':' + std::to_string(position.column);
  }
  line += ": ";
  if (!error.field_path.empty()) line += error.field_path + ": ";
  line += error.hint + " (" + error.rule;
  if (!error.value.empty()) line += ": " + error.value;
  return line + ")";
}

LocatedError SourceMap::locate(base::FieldError error) const {
  const Position position = find(error.field_path);
  return {file_, position, std::move(error)};
}

std::vector<LocatedError> SourceMap::locate(std::vector<base::FieldError> errors) const {
  std::vector<LocatedError> located;
  located.reserve(errors.size());
  for (base::FieldError& error : errors) located.push_back(locate(std::move(error)));
  return located;
}

std::optional<std::string> readText(std::istream& in) {
  std::string text;
  char block[16384];
  while (in.read(block, sizeof(block)) || in.gcount() > 0) {
    text.append(block, static_cast<size_t>(in.gcount()));
    if (text.size() > kMaxFileBytes) return std::nullopt;
  }
  return text;
}

Loaded loadYaml(std::string_view text, std::string_view file, google::protobuf::Message* message,
                const LoadOptions& options) {
  Loaded loaded;
  DocumentResult document = parse(text, file, options.limits);
  if (auto* error = std::get_if<DocumentError>(&document)) {
    loaded.sources =
        std::make_shared<SourceMap>(std::string(file), std::make_shared<DocumentNode>());
    loaded.errors.push_back(
        {std::string(file), error->position, {"", error->rule, "", std::move(error->message)}});
    loaded.error_count = 1;
    return loaded;
  }
  const DocumentRoot& root = std::get<DocumentRoot>(document);
  loaded.sources = std::make_shared<SourceMap>(std::string(file), root);
  base::FieldReport report;
  readMessage(*root, options.read, message, &report);
  loaded.error_count = report.errorCount();
  loaded.errors = loaded.sources->locate(report.takeErrors());
  return loaded;
}

std::string describeErrors(const std::vector<LocatedError>& errors, uint64_t error_count) {
  std::string text;
  for (const LocatedError& error : errors) {
    if (!text.empty()) text += '\n';
    text += error.text();
  }
  if (error_count > errors.size()) {
    text += "\nand " + std::to_string(error_count - errors.size()) + " more";
  }
  return text;
}

}  // namespace convoy::config
