#pragma once

// Which secrets are wanted by SDS, who wants them, and which have come. A part of Warming: pure,
// time is a parameter.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/event/clock.h"
#include "proxy/tls/spec.h"
#include "proxy/xds/references.h"

namespace convoy::xds {

// A name that must be subscribed, or unsubscribed, because the first reference to it came or the
// last one went.
struct NameChange {
  std::string name;
  bool wanted;
};

class SecretWants {
 public:
  // The secrets that `user` ("listener public") names from now on, in all its versions that matter;
  // none: it is gone. A secret's deadline counts from its first mention.
  void set(const std::string& user, const std::vector<SecretUse>& secrets,
           event::MonotonicTime now);

  // Not wanted (any more): dropped.
  void put(std::shared_ptr<const tls::SecretSpec> spec);
  // It does not exist: nobody waits for it.
  void absent(std::string_view name);

  // The first of these that is waited for; empty if there is none.
  std::string_view awaited(const std::vector<SecretUse>& secrets, event::MonotonicTime now) const;
  // The first deadline after `now` of one of these that has not come; max() if there is none.
  event::MonotonicTime deadlineOf(const std::vector<SecretUse>& secrets,
                                  event::MonotonicTime now) const;
  // How many of these have not come.
  uint64_t missing(const std::vector<SecretUse>& secrets) const;

  // Since the last call.
  std::vector<std::shared_ptr<const tls::SecretSpec>> takeNew() { return std::exchange(new_, {}); }
  std::vector<std::string> takeRemoved() { return std::exchange(removed_, {}); }
  std::vector<NameChange> takeNames() { return std::exchange(names_, {}); }

 private:
  struct Secret {
    std::set<std::string> users;
    event::MonotonicTime deadline;
    bool here = false;
    bool absent = false;
  };
  const Secret* awaitedSecret(const std::string& name, event::MonotonicTime now) const;

  std::map<std::string, Secret, std::less<>> secrets_;
  std::map<std::string, std::vector<std::string>> named_by_;  // by user
  std::vector<std::shared_ptr<const tls::SecretSpec>> new_;
  std::vector<std::string> removed_;
  std::vector<NameChange> names_;
};

}  // namespace convoy::xds
