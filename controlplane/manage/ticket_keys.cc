#include "controlplane/manage/ticket_keys.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "controlplane/base/event_log.h"

namespace convoy::controlplane::manage {

namespace {

constexpr std::chrono::hours kEpoch{12};
// A session lives for 24 h (compile::kSessionSeconds): a ticket of an epoch's last moment ends in
// the second epoch after it.
constexpr int64_t kEpochsBefore = 2;
constexpr size_t kKeyBytes = 80;

}  // namespace

int64_t ticketEpochAt(event::WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()) / kEpoch;
}

std::vector<std::string> ticketKeysOf(int64_t epoch, const store::SecretsKey& key) {
  const auto of = [&key](int64_t one) {
    return key.derive(absl::StrCat("convoy session ticket key ", one), kKeyBytes);
  };
  std::vector<std::string> keys = {of(epoch), of(epoch + 1)};
  for (int64_t before = 1; before <= kEpochsBefore; ++before) keys.push_back(of(epoch - before));
  return keys;
}

TicketRotation::TicketRotation(const store::SecretsKey& key, const event::Clock* clock,
                               event::Duration interval, Publish publish)
    : key_(key), clock_(clock), interval_(interval), publish_(std::move(publish)) {
  look();
  thread_ = std::thread([this] { run(); });
}

TicketRotation::~TicketRotation() {
  {
    MutexLock lock(&mutex_);
    stopped_ = true;
  }
  stop_.signalAll();
  thread_.join();
}

void TicketRotation::look() {
  const int64_t epoch = ticketEpochAt(clock_->wallNow());
  if (epoch == epoch_) return;
  epoch_ = epoch;
  publish_(ticketKeysOf(epoch, key_));
  const std::string number = absl::StrCat(epoch);
  logEvent("ticket_keys_changed", {{"epoch", number}});
}

void TicketRotation::run() {
  while (true) {
    {
      MutexLock lock(&mutex_);
      if (!stopped_) stop_.waitFor(&mutex_, interval_);
      if (stopped_) return;
    }
    look();
  }
}

}  // namespace convoy::controlplane::manage
