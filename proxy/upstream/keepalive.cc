#include "proxy/upstream/keepalive.h"

#include <algorithm>
#include <utility>

namespace convoy::upstream {

Keepalive::Keepalive(event::Loop& loop, const KeepaliveSpec& spec, KeepaliveLink& link)
    : loop_(loop),
      spec_(spec),
      link_(link),
      deadline_(&Keepalive::onDeadline, this),
      seen_(link.reads()) {
  armForNextLook(event::Duration::zero());
}

void Keepalive::onDeadline(void* self) {
  auto& keepalive = *static_cast<Keepalive*>(self);
  keepalive.waiting_ ? keepalive.judge() : keepalive.look();
}

// Whether anything came since the last time; if so, the silence is over.
bool Keepalive::heard() {
  const uint64_t reads = link_.reads();
  if (reads == seen_) return false;
  seen_ = reads;
  asked_ = 0;
  return true;
}

bool Keepalive::mayAsk() const {
  return asked_ < kPingsAtOnce || loop_.now() - asked_at_ >= kCalm;
}

void Keepalive::look() {
  const bool left_alone = asksOnUse() && link_.streams() == 0;
  if (!heard() && !left_alone && mayAsk()) return ask();
  armForNextLook(event::Duration::zero());
}

void Keepalive::askOnUse() {
  heard();
  if (mayAsk()) ask();
}

void Keepalive::ask() {
  owed_ = link_.unacknowledged();
  acknowledged_ = link_.acknowledged();
  taken_ = 0;
  waiting_ = true;
  asked_at_ = loop_.now();
  ++asked_;
  link_.sendPing();
  waitForAnswer();
}

void Keepalive::waitForAnswer() {
  late_ = false;
  arm(spec_.timeout);
}

void Keepalive::judge() {
  const uint64_t reads = link_.reads();
  if (reads == seen_) {
    const uint64_t taken = std::min<uint64_t>(link_.acknowledged() - acknowledged_, owed_);
    if (taken != std::exchange(taken_, taken)) return waitForAnswer();
    if (late_) return link_.onSilent();
    // What came meanwhile is read before the next tick. The PING itself may have left only now,
    // where the loop was held up when it was due.
    late_ = true;
    const bool held_up = loop_.now() - due_ > 2 * event::Deadlines::kTick;
    return arm(held_up ? spec_.timeout : event::Deadlines::kTick);
  }
  waiting_ = false;
  // More than the answer.
  if (reads - seen_ > 1) asked_ = 0;
  seen_ = reads;
  armForNextLook(loop_.now() - asked_at_);
}

void Keepalive::armForNextLook(event::Duration passed) {
  const event::Duration interval = spec_.interval;
  if (interval <= event::Duration::zero()) return;
  const auto spread =
      static_cast<uint64_t>(static_cast<double>(interval.count()) * spec_.jitter_percent / 100);
  const event::Duration jitter(loop_.random().below(spread + 1));
  arm(std::max(interval + jitter - passed, event::Duration::zero()));
}

void Keepalive::arm(event::Duration after) {
  due_ = loop_.now() + after;
  loop_.deadlines().armAt(deadline_, due_);
}

}  // namespace convoy::upstream
