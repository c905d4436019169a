#pragma once

// Header edits as one list of steps, in the order in which they apply. Immutable once built; what
// it adds to a message are views into the specs that it was built from.

#include <string_view>
#include <vector>

#include "proxy/http/header_list.h"
#include "proxy/route/spec.h"

namespace convoy::route {

class HeaderEditList {
 public:
  // Appends one level: removals first, as in Envoy.
  void addLevel(const std::vector<std::string>& remove, const std::vector<HeaderEdit>& edits);
  void apply(http::HeaderList& headers) const {
    if (!steps_.empty()) applySteps(headers);
  }
  bool empty() const { return steps_.empty(); }

 private:
  struct Step {
    bool remove;
    HeaderEdit::Action action;
    http::HeaderField field;
  };
  void applySteps(http::HeaderList& headers) const;

  std::vector<Step> steps_;
};

}  // namespace convoy::route
