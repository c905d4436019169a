#pragma once

// The bootstrap of a new convoy-proxy node: Envoy's format, everything else by delta ADS.

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "tools/ctl/session.h"

namespace convoy::tools::ctl {

struct BootstrapOptions {
  std::string id = {};
  std::string cluster = {};  // empty: "convoy"
  std::string zone = {};     // node.locality.zone; empty: none
  std::map<std::string, std::string> labels = {};
  std::string control_plane = "127.0.0.1:18000";  // where convoy-control serves xDS
  std::string admin = "127.0.0.1:9901";           // "none": no admin endpoint
  TlsPaths tls = {};  // of the node's machine, for TLS to the control plane
  // In the control plane's certificate; empty: the host name or IP address of control_plane is.
  std::string server_name = {};
};

// YAML. Errors say what is wrong with which option.
absl::StatusOr<std::string> makeBootstrap(const BootstrapOptions& options);

}  // namespace convoy::tools::ctl
