#include "controlplane/base/observers.h"

#include <algorithm>
#include <utility>

namespace convoy::controlplane {

void Observers::add(std::weak_ptr<Observer> observer) {
  absl::MutexLock lock(&mutex_);
  observers_.push_back(std::move(observer));
}

void Observers::notify() {
  std::vector<std::shared_ptr<Observer>> alive;
  {
    absl::MutexLock lock(&mutex_);
    for (const std::weak_ptr<Observer>& observer : observers_) {
      if (std::shared_ptr<Observer> locked = observer.lock()) alive.push_back(std::move(locked));
    }
    observers_.assign(alive.begin(), alive.end());
  }
  for (const std::shared_ptr<Observer>& observer : alive) observer->onChange();
}

}  // namespace convoy::controlplane
