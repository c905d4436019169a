#include "proxy/route/path_index.h"

#include <algorithm>

#include "proxy/base/strings.h"
#include "proxy/route/conditions.h"
#include "proxy/route/path_rewrite.h"
#include "re2/re2.h"

namespace convoy::route {

namespace {

bool equals(std::string_view a, std::string_view b, bool case_sensitive) {
  return case_sensitive ? a == b : base::equalsIgnoreCase(a, b);
}

// The path alone; the index has only narrowed down.
bool pathMatches(const CompiledRoute& route, std::string_view path) {
  const PathMatch& match = route.path();
  const std::string_view value = match.value;
  switch (match.kind) {
    case PathMatch::Kind::Exact:
      return equals(path, value, match.case_sensitive);
    case PathMatch::Kind::Regex:
      return re2::RE2::FullMatch({path.data(), path.size()}, *route.conditions().pathRegex());
    case PathMatch::Kind::Prefix:
      return path.size() >= value.size() &&
             equals(path.substr(0, value.size()), value, match.case_sensitive);
    case PathMatch::Kind::SegmentPrefix:
      return path.size() >= value.size() &&
             equals(path.substr(0, value.size()), value, match.case_sensitive) &&
             (path.size() == value.size() || path[value.size()] == '/');
  }
  return false;
}

}  // namespace

void PathIndex::add(const CompiledRoute& route) {
  const PathMatch& path = route.path();
  if (path.kind == PathMatch::Kind::Regex || !path.case_sensitive) {
    others_.push_back(&route);
  } else if (path.kind == PathMatch::Kind::Exact) {
    exact_[path.value].push_back(&route);
  } else {
    prefixesOf(path.value.size()).routes[path.value].push_back(&route);
  }
}

PathIndex::Prefixes& PathIndex::prefixesOf(size_t length) {
  auto at = std::lower_bound(prefixes_.begin(), prefixes_.end(), length,
                             [](const Prefixes& p, size_t l) { return p.length < l; });
  if (at == prefixes_.end() || at->length != length) at = prefixes_.insert(at, {length, {}});
  return *at;
}

void PathIndex::collect(std::string_view path, Lists& lists) const {
  if (const auto found = exact_.find(path); found != exact_.end()) lists.push_back(&found->second);
  for (const Prefixes& prefixes : prefixes_) {
    if (prefixes.length > path.size()) break;
    const auto found = prefixes.routes.find(path.substr(0, prefixes.length));
    if (found != prefixes.routes.end()) lists.push_back(&found->second);
  }
  if (!others_.empty()) lists.push_back(&others_);
}

// Merges the lists by id: the first route in configured order that holds wins.
const CompiledRoute* PathIndex::match(const http::RequestHead& head, Draw& draw) const {
  const std::string_view path = pathOf(head.target);
  Lists lists;
  collect(path, lists);
  absl::InlinedVector<size_t, kInlineLists> positions(lists.size(), 0);
  while (true) {
    const CompiledRoute* next = nullptr;
    size_t from = 0;
    for (size_t i = 0; i < lists.size(); ++i) {
      if (positions[i] == lists[i]->size()) continue;
      const CompiledRoute* candidate = (*lists[i])[positions[i]];
      if (next == nullptr || candidate->id() < next->id()) {
        next = candidate;
        from = i;
      }
    }
    if (next == nullptr) return nullptr;
    if (pathMatches(*next, path) && next->conditions().holds(head, draw)) return next;
    ++positions[from];
  }
}

}  // namespace convoy::route
