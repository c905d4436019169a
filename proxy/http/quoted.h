#pragma once

// Quoted strings in field values (RFC 9110 5.6.4). Pure functions.

#include <cstddef>
#include <string_view>

namespace convoy::http {

// Whether every double quote of the list that opens one closes too: a list that breaks off inside
// of a quoted string would swallow the element that is appended to it. Inside of one a backslash
// escapes the character behind it; outside it is a character like others.
constexpr bool quotesAreBalanced(std::string_view list) {
  bool open = false;
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i] == '"') {
      open = !open;
    } else if (open && list[i] == '\\') {
      ++i;  // whatever is escaped
    }
  }
  return !open;
}

}  // namespace convoy::http
