#pragma once

// An Envoy bootstrap file, YAML or JSON, to a BootstrapSpec; and the `--mode validate` of
// convoy-proxy. Every error says file, line, column, field path, rule and value. Reads files that
// data sources name.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/bootstrap.h"
#include "proxy/config/registry.h"
#include "proxy/config/yaml_loader.h"

namespace convoy::config {

struct BootstrapOptions {
  std::string service_node;            // --service-node; not empty: instead of node.id
  std::string service_cluster;         // --service-cluster; likewise
  const Registry* registry = nullptr;  // null: builtins()
};

// A field of the file that is accepted without effect.
struct LocatedNote {
  std::string file;
  Position position;
  base::FieldNote note;

  // "envoy.yaml:12:5: stats_config: has no effect: ..."
  std::string text() const;
};

struct LoadedBootstrap {
  std::optional<BootstrapSpec> spec;  // unset: refused
  std::vector<LocatedError> errors;
  uint64_t error_count = 0;
  std::vector<LocatedNote> notes;
  uint64_t note_count = 0;

  bool ok() const { return spec.has_value(); }
  // Everything that is wrong, for people, one line each.
  std::string errorText() const { return describeErrors(errors, error_count); }
};

LoadedBootstrap loadBootstrap(std::string_view text, std::string_view file,
                              const BootstrapOptions& options = {});

// Reads the file first; "-" is no name for standard input.
LoadedBootstrap loadBootstrapFile(const std::string& path, const BootstrapOptions& options = {});

// What `convoy-proxy --mode validate -c PATH` prints and returns.
struct Validation {
  int exit_code = 0;   // 0: accepted; 2: refused
  std::string output;  // for standard output; ends with a newline
};
Validation validateFile(const std::string& path, const BootstrapOptions& options = {});

}  // namespace convoy::config
