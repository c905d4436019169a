#pragma once

// The fleet's session ticket keys. Time is cut into epochs of 12 h, and each epoch has one key that
// is derived from the secrets key: nothing is stored, and a control plane that restarts, or another
// one with the same secrets key, has the same. Nodes encrypt with the key of the epoch. They also
// decrypt with those before it, as long as a session lives, and with the next one, so that a node
// that is told late resumes the sessions of one that was told early.

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "controlplane/base/mutex.h"
#include "controlplane/store/secrets_key.h"
#include "proxy/event/clock.h"

namespace convoy::controlplane::manage {

int64_t ticketEpochAt(event::WallTime time);

// As Envoy's SessionTicketKeys: that of the epoch, the next one's, and those before, newest first.
std::vector<std::string> ticketKeysOf(int64_t epoch, const store::SecretsKey& key);

// Publishes the keys when it is made and whenever the clock enters another epoch; a clock that is
// set back is followed, too. On a thread of its own.
class TicketRotation {
 public:
  using Publish = std::function<void(const std::vector<std::string>& keys)>;

  // `interval`: how often the clock is looked at. `clock` outlives it; `publish` is called from
  // within the constructor and from the thread, one call at a time.
  TicketRotation(const store::SecretsKey& key, const event::Clock* clock, event::Duration interval,
                 Publish publish);
  ~TicketRotation();
  TicketRotation(const TicketRotation&) = delete;

 private:
  void look();
  void run();

  const store::SecretsKey key_;
  const event::Clock* const clock_;
  const event::Duration interval_;
  const Publish publish_;
  int64_t epoch_ = -1;

  Mutex mutex_;
  Condition stop_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace convoy::controlplane::manage
