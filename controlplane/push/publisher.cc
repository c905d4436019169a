#include "controlplane/push/publisher.h"

namespace convoy::controlplane::push {

const compile::ViewDifference& Differences::between(const compile::ViewPtr& from,
                                                    const compile::ViewPtr& to) {
  const auto [found, is_new] = known_.try_emplace({from, to});
  if (is_new) found->second = compile::difference(*from, *to);
  return found->second;
}

std::vector<std::shared_ptr<Receiver>> Publisher::alive() {
  std::vector<std::shared_ptr<Receiver>> alive;
  for (const std::weak_ptr<Receiver>& receiver : receivers_) {
    if (std::shared_ptr<Receiver> locked = receiver.lock()) alive.push_back(std::move(locked));
  }
  receivers_.assign(alive.begin(), alive.end());
  return alive;
}

void Publisher::publish(const compile::SnapshotPtr& snapshot) {
  std::vector<std::shared_ptr<Receiver>> receivers;
  {
    MutexLock lock(&mutex_);
    snapshot_ = snapshot;
    receivers = alive();
  }
  Differences differences;
  for (const std::shared_ptr<Receiver>& receiver : receivers) {
    receiver->onSnapshot(snapshot, differences);
  }
}

compile::SnapshotPtr Publisher::add(const std::shared_ptr<Receiver>& receiver) {
  bool stopped = false;
  compile::SnapshotPtr snapshot;
  {
    MutexLock lock(&mutex_);
    // Nobody may publish for long: those who left go when there would be no room.
    if (receivers_.size() == receivers_.capacity()) alive();
    receivers_.push_back(receiver);
    snapshot = snapshot_;
    stopped = stopped_;
  }
  if (stopped) receiver->onStop();
  return snapshot;
}

void Publisher::stop() {
  std::vector<std::shared_ptr<Receiver>> receivers;
  {
    MutexLock lock(&mutex_);
    stopped_ = true;
    receivers = alive();
  }
  for (const std::shared_ptr<Receiver>& receiver : receivers) receiver->onStop();
}

}  // namespace convoy::controlplane::push
