#pragma once

// The resources of the control plane as they came, for people (/config_dump).
//
// Why the bytes are kept, and the specs are not written back into protos: a spec has only what is
// honoured, so the dump would not be what the control plane sent; a second converter per resource
// would be as large as the first and could be wrong; and nothing of this is on the path of a
// request. The price is one copy of each resource's encoded bytes on main: about 0.8 MB of the
// 27 MB that 1,000 clusters of 10 endpoints take. They are parsed only when somebody looks.
//
// A pure class. Owner: AdsClient; thread: main's.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "proxy/event/clock.h"

namespace convoy::xds {

class ResourceArchive {
 public:
  struct Received {
    std::string version;
    std::string bytes;  // of the message that the resource's Any holds
    event::WallTime time{};
  };
  struct Refusal {
    Received what;        // no bytes if the resource could not even be told from others
    std::string details;  // why
  };
  struct Entry {
    std::optional<Received> active;   // in force
    std::optional<Received> warming;  // accepted, and waits for what it refers to
    std::optional<Refusal> refused;   // newer than both; gone when a version is accepted
  };
  struct Type {
    std::string version;  // system_version_info of the last response that was accepted whole
    std::map<std::string, Entry, std::less<>> resources;
  };
  using Names = std::set<std::string, std::less<>>;

  void setVersion(std::string_view type_url, std::string_view version);
  void accept(std::string_view type_url, std::string_view name, Received received, bool waits);
  void refuse(std::string_view type_url, std::string_view name, Refusal refusal);
  void erase(std::string_view type_url, std::string_view name);
  // Of those that were waiting, only these still do.
  void keepWaiting(std::string_view type_url, const Names& names);
  bool anyWaiting() const { return !waiting_.empty(); }

  // Null: nothing of this type has come.
  const Type* find(std::string_view type_url) const;

 private:
  Type& of(std::string_view type_url);

  std::map<std::string, Type, std::less<>> types_;
  std::set<std::pair<std::string, std::string>> waiting_;  // type and name, with `warming` set
};

}  // namespace convoy::xds
