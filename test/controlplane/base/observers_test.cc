#include "controlplane/base/observers.h"

#include <gtest/gtest.h>

#include <functional>

#include "controlplane/base/stop_signal.h"

namespace convoy::controlplane {
namespace {

class Counter final : public Observer {
 public:
  void onChange() override {
    ++count;
    if (then) then();
  }
  int count = 0;
  std::function<void()> then;
};

TEST(ObserversTest, TellThoseWhoAreAlive) {
  Observers observers;
  auto stays = std::make_shared<Counter>();
  auto goes = std::make_shared<Counter>();
  observers.add(stays);
  observers.add(goes);
  observers.notify();
  EXPECT_EQ(goes->count, 1);
  goes.reset();
  observers.notify();
  EXPECT_EQ(stays->count, 2);
}

TEST(ObserversTest, AnObserverMayAddAnotherWhenItIsTold) {
  Observers observers;
  auto first = std::make_shared<Counter>();
  auto second = std::make_shared<Counter>();
  first->then = [&observers, second] { observers.add(second); };
  observers.add(first);
  observers.notify();
  EXPECT_EQ(second->count, 0);
  observers.notify();
  EXPECT_EQ(second->count, 1);
}

TEST(StopSignalTest, IsSetWhenItsObserversAreTold) {
  StopSignal stop;
  auto observer = std::make_shared<Counter>();
  bool seen = false;
  observer->then = [&stop, &seen] { seen = stop.stopped(); };
  stop.observers().add(observer);
  EXPECT_FALSE(stop.stopped());
  stop.stop();
  EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace convoy::controlplane
