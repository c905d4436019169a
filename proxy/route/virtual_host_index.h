#pragma once

// Finds the virtual host of an authority, in the order that matcher.h states. Immutable after the
// last add(). find() allocates only for an authority that is longer than a host name and port can
// be.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "proxy/route/path_index.h"

namespace convoy::route {

class VirtualHostIndex {
 public:
  // Takes the domains as they are configured; the error names the domain.
  absl::Status add(const std::vector<std::string>& domains,
                   std::shared_ptr<const PathIndex> routes);
  // Null if no domain matches.
  const PathIndex* find(std::string_view authority) const;

 private:
  using ByText = absl::flat_hash_map<std::string, std::shared_ptr<const PathIndex>>;
  struct Wildcards {
    size_t length;  // without the "*"
    ByText hosts;
  };

  absl::Status addWildcard(std::vector<Wildcards>& wildcards, const std::string& text,
                           const std::shared_ptr<const PathIndex>& routes);

  ByText exact_;
  std::vector<Wildcards> suffixes_;  // descending lengths
  std::vector<Wildcards> prefixes_;  // likewise
  std::shared_ptr<const PathIndex> any_;
  bool only_any_ = true;  // there is no other domain than "*"
};

}  // namespace convoy::route
