#include "proxy/route/path_index.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "proxy/base/strings.h"
#include "proxy/route/conditions.h"
#include "proxy/route/path_rewrite.h"

namespace convoy::route {

namespace {

bool equals(std::string_view a, std::string_view b, bool case_sensitive) {
  return case_sensitive ? a == b : base::equalsIgnoreCase(a, b);
}

// True if the path begins with the label, whose first byte it is known to have.
bool beginsWithRest(std::string_view path, std::string_view label) {
  if (label.size() == 1) return true;
  return path.size() >= label.size() &&
         std::memcmp(path.data() + 1, label.data() + 1, label.size() - 1) == 0;
}

// The path alone; the index has only narrowed down.
bool pathMatches(const CompiledRoute& route, std::string_view path, std::string_view method) {
  const PathMatch& match = route.path();
  const std::string_view value = match.value;
  switch (match.kind) {
    case PathMatch::Kind::Exact:
      return equals(path, value, match.case_sensitive);
    case PathMatch::Kind::Regex:
      return re2::RE2::FullMatch({path.data(), path.size()}, *route.conditions().pathRegex());
    case PathMatch::Kind::Connect:
      return base::equals(method, "CONNECT");
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
  if (path.kind == PathMatch::Kind::Regex || path.kind == PathMatch::Kind::Connect ||
      !path.case_sensitive) {
    others_.push_back(&route);
    return;
  }
  Node& node = nodeFor(path.value);
  (path.kind == PathMatch::Kind::Exact ? node.exact : node.prefixes).push_back(&route);
}

// The node of this text, made at need.
PathIndex::Node& PathIndex::nodeFor(std::string_view text) {
  Node* node = &root_;
  while (!text.empty()) {
    Node* const child = childOf(*node, text[0]);
    if (child == nullptr) {
      auto added = std::make_unique<Node>();
      added->label = text;
      adopt(*node, std::move(added));
      return *node->children.back();
    }
    Node& next = *child;
    const auto differ =
        std::mismatch(next.label.begin(), next.label.end(), text.begin(), text.end());
    const size_t common = static_cast<size_t>(differ.first - next.label.begin());
    if (common < next.label.size()) split(next, common);
    node = &next;
    text.remove_prefix(common);
  }
  return *node;
}

// Makes the first `at` bytes of the label a node of their own, above the rest.
void PathIndex::split(Node& node, size_t at) {
  auto rest = std::make_unique<Node>(std::move(node));
  const std::string_view label = rest->label;
  rest->label = label.substr(at);
  node = Node();
  node.label = label.substr(0, at);
  adopt(node, std::move(rest));
}

void PathIndex::collect(std::string_view path, Lists& lists) const {
  const Node* node = &root_;
  while (true) {
    take(node->prefixes, lists);
    if (path.empty()) {
      take(node->exact, lists);
      break;
    }
    const Node* const next = childOf(*node, path[0]);
    if (next == nullptr || !beginsWithRest(path, next->label)) break;
    path.remove_prefix(next->label.size());
    node = next;
  }
  take(others_, lists);
}

// Merges the lists by id: the first route in configured order that holds wins.
const CompiledRoute* PathIndex::match(const http::RequestHead& head, Draw& draw) const {
  const std::string_view path = pathOf(head.target);
  Lists lists;
  collect(path, lists);
  while (true) {
    Candidates* first = nullptr;
    for (Candidates& list : lists) {
      if (list.at == list.end) continue;
      if (first == nullptr || (*list.at)->id() < (*first->at)->id()) first = &list;
    }
    if (first == nullptr) return nullptr;
    const CompiledRoute& route = **first->at++;
    if (pathMatches(route, path, head.method) && route.conditions().holds(head, draw))
      return &route;
  }
}

}  // namespace convoy::route
