#pragma once

// The network filter that ends a filter chain, as main knows it: what it needs is checked when a
// listener is admitted and prepared when the listener is put in force, once for all workers. What
// it prepares chooses the handler that the workers give the chain's connections to
// (chain_handler.h). HTTP is one (http_terminal.h). Thread: main's.

#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "proxy/net/spec.h"
#include "proxy/server/prepared.h"

namespace convoy::server {

// Payloads of an error about a field: its path, and the rule that it breaks.
inline constexpr char kFieldPath[] = "convoy/field_path";
inline constexpr char kRule[] = "convoy/rule";

class TerminalFilter {
 public:
  virtual ~TerminalFilter() = default;
  // Can it be had here? Opens what it needs, such as logs. The error names what cannot be had, and
  // the field, below the filter, in kFieldPath.
  virtual absl::Status admit(const net::NetworkFilterSpec& spec) = 0;
  // REQUIRES: admitted.
  virtual std::shared_ptr<const PreparedTerminal> prepare(
      const std::shared_ptr<const net::NetworkFilterSpec>& spec) = 0;
};

// By NetworkFilterSpec::name.
using TerminalFilters = std::map<std::string, std::unique_ptr<TerminalFilter>>;

}  // namespace convoy::server
