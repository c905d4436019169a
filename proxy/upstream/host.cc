#include "proxy/upstream/host.h"

#include <utility>

#include "proxy/base/assert.h"

namespace convoy::upstream {

namespace {

uint64_t nextSerial() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

Host::Host(net::Address address, uint32_t slot, size_t workers,
           std::shared_ptr<ActiveCounts> counts)
    : address_(std::move(address)),
      address_text_(address_.text()),
      slot_(slot),
      serial_(nextSerial()),
      workers_(workers),
      metrics_(std::make_unique<std::atomic<HostMetrics*>[]>(workers)),
      counts_(counts != nullptr ? std::move(counts) : std::make_shared<ActiveCounts>()),
      active_(counts_->take()) {}

Host::~Host() {
  counts_->giveBack(active_);
  for (size_t i = 0; i < workers_; ++i) delete metrics_[i].load(std::memory_order_acquire);
}

HostMetrics& Host::metrics(size_t worker) const {
  CONVOY_ASSERT(worker < workers_);
  HostMetrics* metrics = metrics_[worker].load(std::memory_order_relaxed);
  if (metrics == nullptr) {
    metrics = new HostMetrics;
    metrics_[worker].store(metrics, std::memory_order_release);
  }
  return *metrics;
}

}  // namespace convoy::upstream
