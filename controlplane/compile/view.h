#pragma once

// What one kind of node gets: the listeners that choose it and all that they reach. Nodes whose
// labels every selector treats alike share one view.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "controlplane/compile/encoded.h"
#include "controlplane/compile/types.h"
#include "controlplane/store/store.h"

namespace convoy::controlplane::compile {

// By name; the keys point into the values.
using ResourceMap = absl::flat_hash_map<absl::string_view, EncodedPtr>;

struct View {
  store::RevisionNumber revision = 0;
  uint64_t sequence = 0;  // that of its snapshot
  std::array<ResourceMap, kTypeCount> resources;

  const ResourceMap& of(Type type) const { return resources[indexOf(type)]; }
  // Null if there is none of this name.
  EncodedPtr find(Type type, absl::string_view name) const;
};

using ViewPtr = std::shared_ptr<const View>;

// Names that are new, gone or different from one view to another, by type.
using ViewDifference = std::array<std::vector<std::string>, kTypeCount>;

ViewDifference difference(const View& from, const View& to);

}  // namespace convoy::controlplane::compile
