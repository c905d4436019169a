#pragma once

// The value of the Date header field (RFC 9110 5.6.7, IMF-fixdate): "Sun, 06 Nov 1994 08:49:37
// GMT". Times are handed in; nothing here reads a clock.

#include <cstdint>
#include <optional>
#include <string_view>

namespace convoy::http {

inline constexpr size_t kHttpDateBytes = 29;

// Writes exactly kHttpDateBytes bytes. Seconds since the Unix epoch, of the years 0 to 9999.
void writeHttpDate(int64_t unix_seconds, char* out);
// Of exactly what writeHttpDate() writes, and of nothing else: nobody sends the two obsolete forms.
std::optional<int64_t> parseHttpDate(std::string_view text);

// Formats once per second. One per worker; the view is valid until the next call with another
// second.
class HttpDateCache {
 public:
  std::string_view at(int64_t unix_seconds) {
    if (unix_seconds != second_) refresh(unix_seconds);
    return {text_, kHttpDateBytes};
  }

 private:
  void refresh(int64_t unix_seconds);

  int64_t second_ = INT64_MIN;
  char text_[kHttpDateBytes] = {};
};

}  // namespace convoy::http
