#pragma once

// Finds the routes of one virtual host whose paths may match, in configured order: a hash look-up
// for exact paths, one for each length that some prefix has, and a list of those that cannot be
// looked up (regular expressions, paths that ignore case). Immutable; match() allocates nothing for
// up to kInlineLists lists.

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "proxy/route/compiled_route.h"

namespace convoy::route {

class Draw;

class PathIndex {
 public:
  // Routes in configured order; they outlive the index.
  void add(const CompiledRoute& route);
  const CompiledRoute* match(const http::RequestHead& head, Draw& draw) const;

 private:
  static constexpr size_t kInlineLists = 16;
  using Routes = std::vector<const CompiledRoute*>;  // ascending ids
  using ByText = absl::flat_hash_map<std::string_view, Routes>;
  struct Prefixes {
    size_t length;
    ByText routes;
  };
  using Lists = absl::InlinedVector<const Routes*, kInlineLists>;

  Prefixes& prefixesOf(size_t length);
  void collect(std::string_view path, Lists& lists) const;

  ByText exact_;
  std::vector<Prefixes> prefixes_;  // ascending lengths
  Routes others_;
};

}  // namespace convoy::route
