#include "proxy/upstream/health/command_probe.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace convoy::upstream {

CommandProbe::CommandProbe(ProbeServices& services, const ProbeOwner& owner,
                           const ProbeTarget& target, const CommandCheckSpec& spec, Done done)
    : services_(services), owner_(owner), done_(std::move(done)) {
  command_.name = spec.command;
  command_.arguments = spec.arguments;
  command_.environment = {absl::StrCat("CONVOY_CLUSTER=", owner.cluster->name),
                          absl::StrCat("CONVOY_ADDRESS=", target.address.text())};
  if (!target.address.isIp()) return;
  command_.environment.push_back(absl::StrCat("CONVOY_HOST=", target.address.ipText()));
  command_.environment.push_back(absl::StrCat("CONVOY_PORT=", target.address.port()));
}

void CommandProbe::start() {
  run_ =
      services_.commands.start(command_, [this](ProbeResult result) { done_(std::move(result)); });
}

}  // namespace convoy::upstream
