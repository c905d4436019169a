#include "proxy/route/path_rewrite.h"

#include <charconv>
#include <cstring>
#include <initializer_list>

#include "proxy/http/authority.h"

namespace convoy::route {

namespace {

std::string_view concat(std::initializer_list<std::string_view> parts, base::Arena& arena) {
  size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  char* const text = arena.allocate(size);
  char* at = text;
  for (const std::string_view part : parts) {
    if (!part.empty()) std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  return {text, size};
}

size_t matchedBytes(std::string_view target, const PathMatch& match) {
  const bool prefix =
      match.kind == PathMatch::Kind::Prefix || match.kind == PathMatch::Kind::SegmentPrefix;
  return prefix ? match.value.size() : pathOf(target).size();
}

// A path of the redirect with a query of its own replaces both, whatever strip_query says.
std::string_view redirectTarget(std::string_view target, const PathMatch& match,
                                const Redirect& redirect, base::Arena& arena) {
  if (redirect.path.find('?') != std::string::npos) return redirect.path;
  if (redirect.strip_query) target = target.substr(0, target.find('?'));
  if (!redirect.path.empty()) {
    const size_t query = target.find('?');
    if (query == std::string_view::npos) return redirect.path;
    return concat({redirect.path, target.substr(query)}, arena);
  }
  if (redirect.prefix_rewrite.empty()) return target;
  return rewritePrefix(target, match, redirect.prefix_rewrite, arena);
}

}  // namespace

std::string_view rewritePrefix(std::string_view target, const PathMatch& match,
                               std::string_view prefix_rewrite, base::Arena& arena) {
  return concat({prefix_rewrite, target.substr(matchedBytes(target, match))}, arena);
}

std::string_view redirectLocation(const http::RequestHead& head, const PathMatch& match,
                                  const Redirect& redirect, base::Arena& arena) {
  const std::string_view scheme =
      redirect.scheme.empty() ? head.scheme : std::string_view(redirect.scheme);
  const http::AuthorityParts asked = http::splitAuthority(head.authority);
  const std::string_view host =
      redirect.host.empty() ? asked.host : std::string_view(redirect.host);
  std::string_view port = redirect.host.empty() ? asked.port : std::string_view();
  const bool default_left = scheme != head.scheme && ((head.scheme == "http" && port == ":80") ||
                                                      (head.scheme == "https" && port == ":443"));
  if (default_left) port = {};
  char number[8] = {':'};
  if (redirect.port.has_value()) {
    const char* end = std::to_chars(number + 1, number + sizeof(number), *redirect.port).ptr;
    port = arena.copy({number, static_cast<size_t>(end - number)});
  }
  const std::string_view target = redirectTarget(head.target, match, redirect, arena);
  // What has no slash before it would be a part of the host's name.
  const std::string_view slash = target.starts_with('/') ? "" : "/";
  return concat({scheme, "://", host, port, slash, target}, arena);
}

}  // namespace convoy::route
