#include "controlplane/base/observers.h"

#include <utility>

namespace convoy::controlplane {

void Observers::add(std::weak_ptr<Observer> observer) {
  MutexLock lock(&mutex_);
  // Nobody may notify for long: those who left go when there would be no room.
  if (observers_.size() == observers_.capacity()) {
    std::erase_if(observers_, [](const auto& known) { return known.expired(); });
  }
  observers_.push_back(std::move(observer));
}

void Observers::notify() {
  std::vector<std::shared_ptr<Observer>> alive;
  {
    MutexLock lock(&mutex_);
    for (const std::weak_ptr<Observer>& observer : observers_) {
      if (std::shared_ptr<Observer> locked = observer.lock()) alive.push_back(std::move(locked));
    }
    observers_.assign(alive.begin(), alive.end());
  }
  for (const std::shared_ptr<Observer>& observer : alive) observer->onChange();
}

}  // namespace convoy::controlplane
