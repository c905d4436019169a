#include "proxy/http/path_normalizer.h"

#include <algorithm>
#include <cstring>

namespace convoy::http {

namespace {

int hexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// RFC 3986 2.3.
bool isUnreserved(char c) {
  const char lower = static_cast<char>(c | 0x20);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// The byte that "%XX" at `at` stands for; -1 if it is none.
int escapedByte(std::string_view path, size_t at) {
  if (path.size() - at < 3 || path[at] != '%') return -1;
  const int high = hexValue(path[at + 1]);
  const int low = hexValue(path[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// Most paths have nothing that any rule could change.
bool isPlain(std::string_view path) {
  char before = 0;
  for (const char c : path) {
    if (c == '%' || c == '\\' || (before == '/' && (c == '/' || c == '.'))) return false;
    before = c;
  }
  return true;
}

// All three write at most as many bytes as they read, so `out` may be where `path` is. They return
// how many.

size_t unescapeSlashes(std::string_view path, char* out, bool* found) {
  char* at = out;
  for (size_t i = 0; i < path.size(); ++i) {
    const int byte = escapedByte(path, i);
    if (byte != '/' && byte != '\\') {
      *at++ = path[i];
      continue;
    }
    *at++ = static_cast<char>(byte);
    *found = true;
    i += 2;
  }
  return static_cast<size_t>(at - out);
}

// False on an escape that is none, or of NUL.
bool decode(std::string_view path, char* out, size_t* size) {
  char* at = out;
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '%') {
      *at++ = path[i] == '\\' ? '/' : path[i];
      continue;
    }
    const int byte = escapedByte(path, i);
    if (byte <= 0) return false;
    if (isUnreserved(static_cast<char>(byte))) {
      *at++ = static_cast<char>(byte);
    } else {
      std::memmove(at, path.data() + i, 3);
      at += 3;
    }
    i += 2;
  }
  *size = static_cast<size_t>(at - out);
  return true;
}

// RFC 3986 5.2.4. `path` begins with a slash.
size_t removeDotSegments(std::string_view path, char* out) {
  size_t size = 0;
  while (!path.empty()) {
    // A segment with the slash before it.
    const size_t end = std::min(path.find('/', 1), path.size());
    const std::string_view segment = path.substr(0, end);
    const bool is_last = end == path.size();
    path.remove_prefix(end);
    if (segment == "/." || segment == "/..") {
      if (segment == "/..") {
        while (size > 0 && out[--size] != '/') {
        }
      }
      if (is_last) out[size++] = '/';
      continue;
    }
    std::memmove(out + size, segment.data(), segment.size());
    size += segment.size();
  }
  return size;
}

size_t mergeSlashes(std::string_view path, char* out) {
  size_t size = 0;
  for (const char c : path) {
    if (c != '/' || size == 0 || out[size - 1] != '/') out[size++] = c;
  }
  return size;
}

}  // namespace

PathVerdict applyPathPolicy(const PathPolicy& policy, std::string_view& target,
                            base::Arena& arena) {
  if (target.empty() || target[0] != '/') return PathVerdict::Forward;
  const std::string_view path = target.substr(0, target.find('?'));
  if (isPlain(path)) return PathVerdict::Forward;
  const std::string_view query = target.substr(path.size());
  char* const text = arena.allocate(target.size());
  size_t size = path.copy(text, path.size());

  bool unescaped = false;
  if (policy.escaped_slashes != EscapedSlashes::Keep) {
    size = unescapeSlashes({text, size}, text, &unescaped);
    if (unescaped && policy.escaped_slashes == EscapedSlashes::Reject) {
      return PathVerdict::RefuseSlashes;
    }
  }
  if (policy.normalize) {
    if (!decode({text, size}, text, &size)) return PathVerdict::Refuse;
    size = removeDotSegments({text, size}, text);
  }
  if (policy.merge_slashes) size = mergeSlashes({text, size}, text);
  size += query.copy(text + size, query.size());
  target = {text, size};
  const bool redirects = unescaped && policy.escaped_slashes == EscapedSlashes::UnescapeAndRedirect;
  return redirects ? PathVerdict::Redirect : PathVerdict::Forward;
}

}  // namespace convoy::http
