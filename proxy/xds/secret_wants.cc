#include "proxy/xds/secret_wants.h"

#include <algorithm>

namespace convoy::xds {

void SecretWants::set(const std::string& user, const std::vector<SecretUse>& secrets,
                      event::MonotonicTime now) {
  std::vector<std::string> names;
  for (const SecretUse& use : secrets) {
    if (std::find(names.begin(), names.end(), use.name) != names.end()) continue;
    names.push_back(use.name);
    const auto [entry, first] = secrets_.try_emplace(use.name);
    entry->second.users.insert(user);
    if (!first) continue;
    entry->second.deadline = use.fetch_timeout == event::Duration::zero()
                                 ? event::MonotonicTime::max()
                                 : now + use.fetch_timeout;
    names_.push_back({use.name, true});
  }
  std::vector<std::string> before = std::exchange(named_by_[user], names);
  if (names.empty()) named_by_.erase(user);
  for (const std::string& name : before) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const auto found = secrets_.find(name);
    found->second.users.erase(user);
    if (!found->second.users.empty()) continue;
    names_.push_back({name, false});
    if (found->second.here) removed_.push_back(name);
    std::erase_if(new_, [&](const auto& spec) { return spec->name == name; });
    secrets_.erase(found);
  }
}

void SecretWants::put(std::shared_ptr<const tls::SecretSpec> spec) {
  const auto found = secrets_.find(spec->name);
  if (found == secrets_.end()) return;
  found->second.here = true;
  std::erase_if(new_, [&](const auto& other) { return other->name == spec->name; });
  new_.push_back(std::move(spec));
}

void SecretWants::absent(std::string_view name) {
  const auto found = secrets_.find(name);
  if (found != secrets_.end()) found->second.absent = true;
}

const SecretWants::Secret* SecretWants::awaitedSecret(const std::string& name,
                                                      event::MonotonicTime now) const {
  const auto found = secrets_.find(name);
  if (found == secrets_.end() || found->second.here || found->second.absent) return nullptr;
  return now < found->second.deadline ? &found->second : nullptr;
}

std::string_view SecretWants::awaited(const std::vector<SecretUse>& secrets,
                                      event::MonotonicTime now) const {
  for (const SecretUse& use : secrets) {
    if (awaitedSecret(use.name, now) != nullptr) return use.name;
  }
  return {};
}

event::MonotonicTime SecretWants::deadlineOf(const std::vector<SecretUse>& secrets,
                                             event::MonotonicTime now) const {
  event::MonotonicTime first = event::MonotonicTime::max();
  for (const SecretUse& use : secrets) {
    const Secret* const secret = awaitedSecret(use.name, now);
    if (secret != nullptr) first = std::min(first, secret->deadline);
  }
  return first;
}

uint64_t SecretWants::missing(const std::vector<SecretUse>& secrets) const {
  return static_cast<uint64_t>(
      std::count_if(secrets.begin(), secrets.end(), [this](const SecretUse& use) {
        const auto found = secrets_.find(use.name);
        return found != secrets_.end() && !found->second.here && !found->second.absent;
      }));
}

}  // namespace convoy::xds
