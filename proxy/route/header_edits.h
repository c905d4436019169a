#pragma once

// Header edits as one list of steps, in the order in which they apply. Immutable once built; what
// it adds to a message are views into the specs that it was built from, which outlive it, or text
// in the request's arena. Literal values allocate nothing. What a format gives is made a valid
// value (RFC 9110 5.5): trimmed, with '?' for control bytes.

#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/arena.h"
#include "proxy/event/clock.h"
#include "proxy/http/header_list.h"
#include "proxy/http/message.h"
#include "proxy/http/stream_info.h"
#include "proxy/route/spec.h"

namespace convoy::route {

// What the values of formats are made from, and where they are put.
struct EditScope {
  const http::RequestHead& request;
  const http::ResponseHead* response;  // null while the request is edited
  const http::StreamInfo& info;
  const event::Clock& clock;
  base::Arena& arena;
};

// Applies edits that are not compiled, such as those that a filter finds at a route.
void applyEdits(const std::vector<HeaderEdit>& edits, http::HeaderList& headers,
                const EditScope& scope);

class HeaderEditList {
 public:
  // Appends one level: removals first, as in Envoy.
  void addLevel(const std::vector<std::string>& remove, const std::vector<HeaderEdit>& edits);
  // Appends edits in their order.
  void add(const std::vector<HeaderEdit>& edits);
  void apply(http::HeaderList& headers, const EditScope& scope) const {
    if (!steps_.empty()) applySteps(headers, scope);
  }
  bool empty() const { return steps_.empty(); }

 private:
  struct Step {
    HeaderEdit::Action action;
    http::HeaderField field;
    const HeaderEdit* format;  // null: the field's value is literal
  };
  void applySteps(http::HeaderList& headers, const EditScope& scope) const;

  std::vector<Step> steps_;
};

}  // namespace convoy::route
