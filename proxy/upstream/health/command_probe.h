#pragma once

// Checks by a command of the node's own (command_runner.h): exit code 0 passes. It is told whom to
// check by its environment: CONVOY_CLUSTER, CONVOY_ADDRESS ("10.0.0.1:80"), and for IP addresses
// CONVOY_HOST and CONVOY_PORT. See probe.h.

#include <memory>
#include <string_view>

#include "proxy/upstream/health/command_runner.h"
#include "proxy/upstream/health/probe.h"

namespace convoy::upstream {

class CommandProbe final : public Probe {
 public:
  CommandProbe(ProbeServices& services, const ProbeOwner& owner, const ProbeTarget& target,
               const CommandCheckSpec& spec, Done done);
  void start() override;
  std::string_view missing() const override { return "no exit of the command"; }

 private:
  ProbeServices& services_;
  const ProbeOwner owner_;
  CommandRunner::Command command_;
  const Done done_;
  std::unique_ptr<CommandRunner::Run> run_;
};

}  // namespace convoy::upstream
