#include "proxy/upstream/health/checker.h"

#include <utility>

#include "proxy/base/assert.h"

namespace convoy::upstream {

Checker::Checker(event::Loop& loop, UpstreamIo& io, size_t thread, size_t transport_slot,
                 std::string command_directory, Deliver deliver)
    : loop_(loop),
      thread_(thread),
      commands_(loop, std::move(command_directory)),
      services_{.loop = loop, .io = io, .commands = commands_, .transport_slot = transport_slot},
      deliver_(std::move(deliver)),
      deliver_task_(&Checker::deliver, this) {}

Checker::~Checker() {
  CONVOY_ASSERT(clusters_.empty());
}

void Checker::assign(const std::shared_ptr<const CheckedCluster>& cluster,
                     const std::vector<ProbeTarget>& targets) {
  CONVOY_ASSERT(loop_.isOwnThread());
  if (shut_down_) return;
  Hosts& hosts = clusters_[cluster->id];
  Hosts before = std::exchange(hosts, {});
  for (const ProbeTarget& target : targets) {
    Checked& host = hosts[target.host];
    if (host.check != nullptr) continue;
    host.life = target.life;
    const auto found = before.find(target.host);
    if (found != before.end() && found->second.life == target.life) {
      host.check = std::move(found->second.check);
      host.check->reconfigure(cluster, target);
      continue;
    }
    host.check = std::make_unique<HostCheck>(
        services_, thread_, cluster, target,
        [this, id = cluster->id, life = target.life](const net::Address& at, CheckedHost checked,
                                                     bool passed) {
          reports_.push_back({id, at, life, std::move(checked), passed});
          loop_.atEndOfIteration(deliver_task_);
        });
  }
}

void Checker::shutdown() {
  CONVOY_ASSERT(loop_.isOwnThread());
  const event::Loop::TurnScope turn(loop_);
  shut_down_ = true;
  clusters_.clear();
  commands_.shutdown();
}

void Checker::deliver(void* self) {
  auto& checker = *static_cast<Checker*>(self);
  checker.deliver_(std::exchange(checker.reports_, {}));
}

}  // namespace convoy::upstream
