#pragma once

// The command line of convoy-proxy, with Envoy's names.

#include <chrono>
#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "proxy/base/log.h"

namespace convoy::server {

struct Options {
  enum class Mode { Serve, Validate, Help, Version };

  Mode mode = Mode::Serve;
  std::string config_path;
  size_t concurrency = 0;    // 0: one worker per processor that this process may use
  std::string service_node;  // replace the bootstrap's node.id and node.cluster
  std::string service_cluster;
  base::LogLevel log_level = base::LogLevel::Info;
  std::chrono::seconds drain_time{30};
  bool reject_unknown_dynamic_fields = false;
  size_t health_threads = 1;
  std::string health_command_dir;  // empty: checks run no commands
};

// The error says which option, what is wrong, and where help is.
absl::StatusOr<Options> parseOptions(int argc, char** argv);
const char* helpText();

}  // namespace convoy::server
