#pragma once

// Models from the text form of a Config, with the writes that lead from one to the next.

#include <string>
#include <vector>

#include "controlplane/manage/planner.h"
#include "proxy/event/clock.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane {

// What applying a Config (with prune) to a model plans; fails the test if it is refused.
inline manage::Plan planText(const model::Model& current, const std::string& config) {
  auto plan =
      manage::planApply(current, parse<v1::Config>(config), true, event::SystemClock().wallNow());
  EXPECT_TRUE(plan.ok()) << plan.status();
  return plan.ok() ? std::move(*plan) : manage::Plan();
}

inline std::vector<store::Key> keysOf(const manage::Plan& plan) {
  std::vector<store::Key> keys;
  for (const store::Write& write : plan.writes) keys.push_back(write.key);
  return keys;
}

}  // namespace convoy::controlplane
