#include "controlplane/push/subscription.h"

#include <algorithm>
#include <utility>

#include "controlplane/compile/types.h"
#include "proxy/base/assert.h"

namespace convoy::controlplane::push {

void Subscription::wantAll() {
  wants_all_ = true;
  // A client that asks for everything waits for an answer even if there is nothing.
  owes_response_ = true;
  evaluateAll();
}

void Subscription::wantAllNoMore() {
  wants_all_ = false;
  owes_response_ = false;
  evaluateAll();
}

void Subscription::want(const std::string& name) {
  // The first mention of a name that the client said it has is no wish to get it again.
  if (!names_.insert(name).second) held_.erase(name);
  told_missing_.erase(name);
  evaluate(name);
}

void Subscription::wantNoMore(const std::string& name) {
  names_.erase(name);
  told_missing_.erase(name);
  evaluate(name);
}

void Subscription::resend(const std::string& name) {
  if (held_.find(name) == held_.end()) return;
  resends_.insert(name);
  evaluate(name);
}

void Subscription::has(const std::string& name, const std::string& version) {
  setHeld(compile::encodedElsewhere(name, version));
}

void Subscription::setView(compile::ViewPtr view, const std::vector<std::string>* changed) {
  view_ = std::move(view);
  if (changed == nullptr) {
    evaluateAll();
    return;
  }
  for (const std::string& name : *changed) evaluate(name);
}

bool Subscription::wants(absl::string_view name) const {
  return wants_all_ || names_.count(std::string(name)) != 0;
}

void Subscription::setAddition(const std::string& name, bool is_new) {
  clearAddition(name);
  additions_.emplace(name, is_new);
  if (is_new) ++new_additions_;
}

void Subscription::clearAddition(const std::string& name) {
  const auto found = additions_.find(name);
  if (found == additions_.end()) return;
  if (found->second) --new_additions_;
  additions_.erase(found);
}

void Subscription::setHeld(const compile::EncodedPtr& resource) {
  // The key points into the value, so an old entry goes as a whole.
  held_.erase(resource->name);
  held_.emplace(resource->name, resource);
}

void Subscription::evaluate(const std::string& name) {
  const bool wanted = wants(name);
  const compile::EncodedPtr target =
      wanted && view_ != nullptr ? view_->find(type_, name) : nullptr;
  const auto held = held_.find(name);
  if (target != nullptr) {
    removals_.erase(name);
    told_missing_.erase(name);
    if (held == held_.end()) {
      setAddition(name, true);
    } else if (held->second->version != target->version || resends_.count(name) != 0) {
      setAddition(name, false);
    } else {
      clearAddition(name);
    }
    return;
  }
  clearAddition(name);
  resends_.erase(name);
  if (view_ == nullptr) return;
  refusals_.erase(name);
  if (!wanted) {
    // The client has dropped it by itself.
    removals_.erase(name);
    held_.erase(name);
    return;
  }
  const bool must_tell =
      held != held_.end() ||
      (protocol_ == Protocol::Delta && names_.count(name) != 0 && told_missing_.count(name) == 0);
  if (must_tell) {
    removals_.insert(name);
  } else {
    removals_.erase(name);
  }
}

void Subscription::evaluateAll() {
  std::vector<std::string> names(names_.begin(), names_.end());
  for (const auto& [name, encoded] : held_) names.emplace_back(name);
  for (const auto& [name, is_new] : additions_) names.push_back(name);
  if (wants_all_ && view_ != nullptr) {
    for (const auto& [name, encoded] : view_->of(type_)) names.emplace_back(name);
  }
  for (const std::string& name : names) evaluate(name);
}

bool Subscription::absenceRemoves() const {
  return type_ == compile::Type::Cluster || type_ == compile::Type::Listener;
}

std::vector<compile::EncodedPtr> Subscription::wholeState(bool with_removals) const {
  std::map<absl::string_view, compile::EncodedPtr> sorted(held_.begin(), held_.end());
  if (!with_removals) {
    for (const std::string& name : removals_) sorted.erase(name);
  }
  std::vector<compile::EncodedPtr> resources;
  for (const auto& [name, encoded] : sorted) resources.push_back(encoded);
  return resources;
}

std::optional<Update> Subscription::takeAdditions(size_t most_bytes) {
  CONVOY_ASSERT(!in_flight_.has_value());
  Update update;
  InFlight flight;
  flight.revision = view_->revision;
  size_t bytes = 0;
  while (!additions_.empty() && (bytes < most_bytes || protocol_ == Protocol::WholeState)) {
    const std::string name = additions_.begin()->first;
    const bool is_new = additions_.begin()->second;
    compile::EncodedPtr resource = view_->find(type_, name);
    CONVOY_ASSERT(resource != nullptr);
    bytes += resource->delta.size();
    flight.names.push_back(name);
    flight.brings_new = flight.brings_new || is_new;
    setHeld(resource);
    resends_.erase(name);
    additions_.erase(additions_.begin());
    if (is_new) --new_additions_;
    update.resources.push_back(std::move(resource));
  }
  if (protocol_ == Protocol::WholeState && absenceRemoves()) update.resources = wholeState(true);
  owes_response_ = false;
  in_flight_ = std::move(flight);
  return update;
}

std::optional<Update> Subscription::takeRemovals() {
  CONVOY_ASSERT(!in_flight_.has_value());
  Update update;
  if (protocol_ == Protocol::WholeState && absenceRemoves()) {
    update.resources = wholeState(false);
  }
  for (const std::string& name : removals_) {
    held_.erase(name);
    if (names_.count(name) != 0) told_missing_.insert(name);
    update.removed.push_back(name);
  }
  removals_.clear();
  if (protocol_ == Protocol::WholeState) {
    update.removed.clear();
    // The client drops these with the cluster or listener that named them.
    if (!absenceRemoves()) return std::nullopt;
  }
  in_flight_ = InFlight{{}, false, view_->revision};
  return update;
}

void Subscription::accepted() {
  if (!in_flight_.has_value()) return;
  for (const std::string& name : in_flight_->names) refusals_.erase(name);
  refusals_.erase("");
  in_flight_.reset();
}

void Subscription::refused(const std::vector<ext::ResourceError>& details,
                           absl::string_view message) {
  if (!in_flight_.has_value()) return;
  const InFlight flight = std::move(*in_flight_);
  in_flight_.reset();
  if (!details.empty()) {
    // What is not refused by name is in force.
    for (const std::string& name : flight.names) refusals_.erase(name);
    for (const ext::ResourceError& error : details) {
      refusals_[error.name()] = {error, flight.revision};
    }
    return;
  }
  ext::ResourceError error;
  const absl::string_view url = compile::typeUrl(type_);
  error.set_type_url(std::string(url));
  error.set_reason(std::string(message));
  if (flight.names.size() == 1) error.set_name(flight.names.front());
  refusals_[error.name()] = {error, flight.revision};
}

}  // namespace convoy::controlplane::push
