#pragma once

// Finds the routes of one virtual host whose paths may match, in configured order: a radix tree of
// all exact paths and prefixes, walked once along the request's path, and a list of those that
// cannot be looked up (regular expressions, paths that ignore case, CONNECT). Immutable after
// build(); match() allocates nothing for up to kInlineLists lists.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

  // The text from the root to here is the path or prefix of the node's routes.
  struct Node {
    std::string_view label;  // from the parent to here; a view into a route's spec
    Routes prefixes;         // match whatever begins with this text
    Routes exact;            // match this text alone
    std::vector<std::unique_ptr<Node>> children;
    std::string first_bytes;  // of their labels, in the same order
  };
  // A position in one list of candidates.
  struct Candidates {
    const CompiledRoute* const* at;
    const CompiledRoute* const* end;
  };
  using Lists = absl::InlinedVector<Candidates, kInlineLists>;

  static Node* childOf(const Node& node, char first) {
    const std::string_view bytes = node.first_bytes;
    for (size_t i = 0; i < bytes.size(); ++i) {  // a few: quicker than a call
      if (bytes[i] == first) return node.children[i].get();
    }
    return nullptr;
  }
  static void adopt(Node& node, std::unique_ptr<Node> child) {
    node.first_bytes += child->label[0];
    node.children.push_back(std::move(child));
  }
  Node& nodeFor(std::string_view text);
  static void split(Node& node, size_t at);
  void collect(std::string_view path, Lists& lists) const;
  static void take(const Routes& routes, Lists& lists) {
    if (!routes.empty()) lists.push_back({routes.data(), routes.data() + routes.size()});
  }

  Node root_;
  Routes others_;
};

}  // namespace convoy::route
