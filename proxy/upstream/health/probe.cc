#include "proxy/upstream/health/probe.h"

#include <utility>

#include "proxy/upstream/health/command_probe.h"
#include "proxy/upstream/health/http_probe.h"
#include "proxy/upstream/health/tcp_probe.h"

namespace convoy::upstream {

std::unique_ptr<Probe> makeProbe(ProbeServices& services, const ProbeOwner& owner,
                                 const ProbeTarget& target, Probe::Done done) {
  const auto& checker = owner.check().checker;
  if (const auto* tcp = std::get_if<TcpCheckSpec>(&checker)) {
    return std::make_unique<TcpProbe>(services, owner, target, *tcp, std::move(done));
  }
  if (const auto* http = std::get_if<HttpCheckSpec>(&checker)) {
    return std::make_unique<HttpProbe>(services, owner, target, *http, std::move(done));
  }
  if (const auto* grpc = std::get_if<GrpcCheckSpec>(&checker)) {
    return std::make_unique<GrpcProbe>(services, owner, target, *grpc, std::move(done));
  }
  return std::make_unique<CommandProbe>(services, owner, target,
                                        std::get<CommandCheckSpec>(checker), std::move(done));
}

}  // namespace convoy::upstream
