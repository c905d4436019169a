#include "proxy/upstream/dns/dns_name.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/assert.h"
#include "proxy/base/log.h"
#include "proxy/base/strings.h"

namespace convoy::upstream {

namespace {

using Kind = DnsAnswer::Kind;

constexpr uint32_t kMostDoublings = 20;

bool found(const std::optional<DnsAnswer>& answer) {
  return answer.has_value() && answer->kind == Kind::Addresses;
}

bool failed(const std::optional<DnsAnswer>& answer) {
  return answer.has_value() && (answer->kind == Kind::Timeout || answer->kind == Kind::Failed);
}

// Not 0.0.0.0/8 and ::, by which Linux connects to itself, nor multicast and what is above it.
bool isHosts(const net::Address& address) {
  const std::string_view bytes = address.ipBytes();
  if (bytes.empty() || address.isWildcard()) return false;
  const auto first = static_cast<uint8_t>(bytes[0]);
  return bytes.size() == 4 ? first != 0 && first < 224 : first != 0xff;
}

bool ascending(const net::Address& a, const net::Address& b) {
  return a.ipBytes() < b.ipBytes();
}

}  // namespace

DnsName::DnsName(const DnsEnvironment& environment, DnsMetrics& metrics, std::string cluster,
                 std::string host, std::shared_ptr<const DnsSpec> spec, OnLookedUp on_looked_up)
    : environment_(environment),
      metrics_(metrics),
      cluster_(std::move(cluster)),
      host_(std::move(host)),
      spec_(std::move(spec)),
      on_looked_up_(std::move(on_looked_up)),
      good_at_(environment.loop.now()),
      timer_(environment.loop, [this] { lookUp(); }) {}

const DnsResolverSpec& DnsName::resolverSpec() const {
  return spec_->resolver.has_value() ? *spec_->resolver : environment_.system;
}

void DnsName::start(const DnsName* before) {
  if (before == nullptr) return lookUp();
  if (spec_->families != DnsFamilies::V6Only) v4_ = before->v4_;
  if (spec_->families != DnsFamilies::V4Only) v6_ = before->v6_;
  first_ = before->first_;
  chosen_ = before->chosen_;
  good_at_ = before->good_at_;
  chooseOne();
  const bool same_question =
      spec_->families == before->spec_->families && resolverSpec() == before->resolverSpec();
  if (!same_question || !before->settled_) return lookUp();
  settled_ = true;
  failures_ = before->failures_;
  gone_ = before->gone_;
  problem_ = before->problem_;
  // By the new rates, if they are shorter.
  const Outcome last = problem_.empty() ? Outcome::Found : Outcome::Failed;
  const event::Duration left = before->due_at_ - environment_.loop.now();
  arm(std::clamp(left, event::Duration(1), delayAfter(last, std::chrono::seconds(0))));
}

void DnsName::arm(event::Duration delay) {
  due_at_ = environment_.loop.now() + delay;
  timer_.armAfter(delay);
}

void DnsName::lookUp() {
  metrics_.update_attempt.add();
  due_at_ = environment_.loop.now();
  lookup_ =
      std::make_unique<DnsLookup>(environment_.resolver, resolverSpec(), host_, spec_->families,
                                  [this](DnsAnswers answers) { onAnswers(std::move(answers)); });
}

std::vector<net::Address> DnsName::addresses() const {
  if (spec_->logical) {
    return v4_.empty() && v6_.empty() ? Known() : Known{chosen_};
  }
  Known all = v4_;
  all.insert(all.end(), v6_.begin(), v6_.end());
  return all;
}

void DnsName::onAnswers(DnsAnswers answers) {
  lookup_.reset();
  for (auto* answer : {&answers.v4, &answers.v6}) {
    if (!answer->has_value()) continue;
    clean(**answer);
    count(**answer);
  }
  const Outcome outcome = judge(answers);
  std::chrono::seconds ttl = std::chrono::seconds::max();
  for (const auto* answer : {&answers.v4, &answers.v6}) {
    if (found(*answer)) ttl = std::min(ttl, (*answer)->ttl);
  }
  note(outcome, answers);
  bool changed = false;
  if (outcome == Outcome::Found) changed = takeFound(answers);
  if (outcome == Outcome::Gone) changed = takeGone();
  settled_ = true;
  arm(delayAfter(outcome, ttl));
  on_looked_up_(changed);
}

// What the server says, reduced to what can be used.
void DnsName::clean(DnsAnswer& answer) {
  if (answer.kind != Kind::Addresses) return;
  const size_t unusable = std::erase_if(
      answer.addresses, [](const net::Address& address) { return !isHosts(address); });
  metrics_.addresses_unusable.add(unusable);
  if (answer.addresses.empty()) {
    answer.kind = Kind::Failed;
    answer.reason = "the answer has no address of a host";
  }
}

void DnsName::count(const DnsAnswer& answer) {
  switch (answer.kind) {
    case Kind::NotFound:
      return metrics_.not_found.add();
    case Kind::Timeout:
      return metrics_.timeout.add();
    case Kind::Failed:
      return metrics_.failed.add();
    case Kind::Addresses:
    case Kind::NoData:
      return;
  }
}

DnsName::Outcome DnsName::judge(const DnsAnswers& answers) const {
  if (!found(answers.v4) && !found(answers.v6)) {
    return failed(answers.v4) || failed(answers.v6) ? Outcome::Failed : Outcome::Gone;
  }
  // A failure is no reason to change from the preferred family to the other.
  const bool leaves_v6 = spec_->families == DnsFamilies::Auto && failed(answers.v6) && !v6_.empty();
  const bool leaves_v4 =
      spec_->families == DnsFamilies::V4Preferred && failed(answers.v4) && !v4_.empty();
  return leaves_v6 || leaves_v4 ? Outcome::Failed : Outcome::Found;
}

bool DnsName::takeFound(DnsAnswers& answers) {
  const Known before = addresses();
  const auto take = [this](std::optional<DnsAnswer>& answer, Known* known) {
    if (failed(answer)) return;
    known->clear();
    if (!found(answer)) return;
    *known = std::move(answer->addresses);
    std::sort(known->begin(), known->end(), ascending);
    known->erase(std::unique(known->begin(), known->end()), known->end());
    if (known->size() > spec_->max_addresses) {
      metrics_.addresses_overflow.add(known->size() - spec_->max_addresses);
      known->resize(spec_->max_addresses);
    }
  };
  first_ = found(answers.v4) ? answers.v4->addresses.front() : answers.v6->addresses.front();
  take(answers.v4, &v4_);
  take(answers.v6, &v6_);
  chooseOne();
  failures_ = gone_ = 0;
  good_at_ = environment_.loop.now();
  metrics_.update_success.add();
  const bool changed = addresses() != before;
  if (!changed) metrics_.update_no_rebuild.add();
  return changed;
}

bool DnsName::takeGone() {
  if (gone_ < spec_->confirmations) return false;
  const bool changed = !v4_.empty() || !v6_.empty();
  v4_.clear();
  v6_.clear();
  return changed;
}

// Keeps the one in use while it is there.
void DnsName::chooseOne() {
  const auto known = [this](const net::Address& address) {
    return std::find(v4_.begin(), v4_.end(), address) != v4_.end() ||
           std::find(v6_.begin(), v6_.end(), address) != v6_.end();
  };
  if (known(chosen_)) return;
  if (known(first_)) {
    chosen_ = first_;
  } else if (!v4_.empty()) {
    chosen_ = v4_.front();
  } else if (!v6_.empty()) {
    chosen_ = v6_.front();
  }
}

// Counts, and tells people about changes for the worse and for the better.
void DnsName::note(Outcome outcome, const DnsAnswers& answers) {
  const std::string_view before = problem_;
  problem_ = {};
  if (outcome == Outcome::Found) {
    if (!before.empty()) {
      base::logInfo(absl::StrCat("cluster ", cluster_, ": ", host_, " is resolved again"));
    }
    return;
  }
  // Of two families, what went wrong rather than what is not there.
  for (const auto* answer : {&answers.v4, &answers.v6}) {
    if (!answer->has_value() || found(*answer)) continue;
    if (problem_.empty() || failed(*answer)) problem_ = (*answer)->reason;
  }
  if (problem_.empty()) problem_ = "no answer";
  failures_ = std::min(failures_ + 1, kMostDoublings);
  if (outcome == Outcome::Failed) metrics_.update_failure.add();
  if (outcome == Outcome::Gone) {
    metrics_.update_empty.add();
    gone_ = std::min(gone_ + 1, spec_->confirmations);
  }
  const bool confirmed =
      outcome == Outcome::Gone && gone_ == spec_->confirmations && !addresses().empty();
  if (!before.empty() && !confirmed) return;
  const char* then = confirmed             ? ": its hosts are gone"
                     : addresses().empty() ? ": it has no hosts yet"
                                           : ": its last addresses stay in use";
  base::logWarning(absl::StrCat("cluster ", cluster_, ": ", host_, " is not resolved (",
                                base::toAbsl(problem_), ")", then));
}

event::Duration DnsName::delayAfter(Outcome outcome, std::chrono::seconds ttl) {
  event::Random& random = environment_.loop.random();
  const auto upTo = [&random](event::Duration most) {
    return event::Duration(
        static_cast<int64_t>(random.below(static_cast<uint64_t>(most.count()) + 1)));
  };
  if (outcome != Outcome::Found && spec_->failure_refresh.has_value()) {
    const auto& rate = *spec_->failure_refresh;
    event::Duration delay = rate.base;
    for (uint32_t i = 1; i < failures_ && delay < rate.max; ++i) delay *= 2;
    delay = std::min<event::Duration>(delay, rate.max);
    return delay / 2 + upTo(delay / 2);
  }
  event::Duration delay = spec_->refresh;
  if (outcome == Outcome::Found && spec_->respect_ttl && ttl > std::chrono::seconds(0)) {
    delay = std::clamp<event::Duration>(
        std::min<std::chrono::seconds>(ttl, std::chrono::hours(24 * 365)), spec_->min_ttl,
        spec_->max_ttl);
  }
  return delay + upTo(delay / 10);
}

}  // namespace convoy::upstream
