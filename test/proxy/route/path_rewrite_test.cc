#include "proxy/route/path_rewrite.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "test/proxy/route/requests.h"

namespace convoy::route {
namespace {

using Kind = PathMatch::Kind;
using test::request;

TEST(PathRewriteTest, ThePathIsWhatStandsBeforeQueryAndFragment) {
  EXPECT_EQ(pathOf("/a/b"), "/a/b");
  EXPECT_EQ(pathOf("/a?b=/c"), "/a");
  EXPECT_EQ(pathOf("/a#b?c"), "/a");
  EXPECT_EQ(pathOf("*"), "*");
  EXPECT_EQ(pathOf(""), "");
}

struct RewriteCase {
  Kind kind;
  const char* value;
  const char* target;
  const char* rewrite;
  const char* result;
};

TEST(PathRewriteTest, ReplacesWhatMatched) {
  const RewriteCase cases[] = {
      {Kind::Prefix, "/api/", "/api/users", "/", "/users"},
      {Kind::Prefix, "/api", "/api/users", "/v2", "/v2/users"},
      {Kind::Prefix, "/api", "/api/users", "/", "//users"},  // as Envoy's documentation warns
      {Kind::Prefix, "/api", "/api?x=1", "/v2", "/v2?x=1"},
      {Kind::Prefix, "/", "/", "/home/", "/home/"},
      {Kind::SegmentPrefix, "/api", "/api/users?x=1", "/v2", "/v2/users?x=1"},
      {Kind::SegmentPrefix, "/api", "/api", "/v2", "/v2"},
      {Kind::Exact, "/old", "/old?x=1", "/new", "/new?x=1"},
      {Kind::Exact, "/old", "/old", "/new", "/new"},
      {Kind::Regex, "/u/[0-9]+", "/u/17?x=1", "/user", "/user?x=1"},
  };
  for (const RewriteCase& c : cases) {
    base::Arena arena;
    PathMatch match;
    match.kind = c.kind;
    match.value = c.value;
    EXPECT_EQ(rewritePrefix(c.target, match, c.rewrite, arena), c.result)
        << c.value << " " << c.target;
  }
}

struct RedirectCase {
  const char* what;
  const char* scheme;     // the request's
  const char* authority;  // the request's
  const char* target;     // the request's
  Redirect redirect;
  const char* location;
};

Redirect redirectOf(std::string scheme, std::string host = "",
                    std::optional<uint32_t> port = std::nullopt) {
  Redirect out;
  out.scheme = std::move(scheme);
  out.host = std::move(host);
  out.port = port;
  return out;
}
Redirect toPath(std::string path, bool strip_query = false) {
  Redirect out;
  out.path = std::move(path);
  out.strip_query = strip_query;
  return out;
}
Redirect toPrefix(std::string prefix, bool strip_query = false) {
  Redirect out;
  out.prefix_rewrite = std::move(prefix);
  out.strip_query = strip_query;
  return out;
}
Redirect stripped() {
  Redirect out;
  out.strip_query = true;
  return out;
}

TEST(PathRewriteTest, MakesLocations) {
  const RedirectCase cases[] = {
      {"nothing", "http", "a.example", "/x?y", {}, "http://a.example/x?y"},
      {"scheme", "http", "a.example", "/x", redirectOf("https"), "https://a.example/x"},
      {"the old scheme's port goes", "http", "a.example:80", "/", redirectOf("https"),
       "https://a.example/"},
      {"and back", "https", "a.example:443", "/", redirectOf("http"), "http://a.example/"},
      {"another port stays", "http", "a.example:8080", "/", redirectOf("https"),
       "https://a.example:8080/"},
      {"a default port stays with its scheme",
       "http",
       "a.example:80",
       "/",
       {},
       "http://a.example:80/"},
      {"host", "http", "a.example:8080", "/", redirectOf("", "b.example"), "http://b.example/"},
      {"port", "http", "a.example:8080", "/", redirectOf("", "", 9090), "http://a.example:9090/"},
      {"the largest port", "http", "a.example", "/", redirectOf("", "", 65535),
       "http://a.example:65535/"},
      {"host and port", "http", "a.example", "/", redirectOf("https", "b.example", 8443),
       "https://b.example:8443/"},
      {"IPv6", "http", "[::1]:80", "/", redirectOf("https"), "https://[::1]/"},
      {"IPv6 without a port", "http", "[::1]", "/", redirectOf("https"), "https://[::1]/"},
      {"IPv6, another port", "http", "[::1]:8080", "/", redirectOf("", "", 81), "http://[::1]:81/"},
      // The three examples of Envoy's documentation of path_redirect.
      {"path", "http", "a.example", "/old?bar=1", toPath("/new"), "http://a.example/new?bar=1"},
      {"path, stripped", "http", "a.example", "/old?bar=1", toPath("/new", true),
       "http://a.example/new"},
      {"a query of its own stays", "http", "a.example", "/old?bar=1", toPath("/new?foo=1", true),
       "http://a.example/new?foo=1"},
      {"a query of its own wins", "http", "a.example", "/old?bar=1", toPath("/new?foo=1"),
       "http://a.example/new?foo=1"},
      {"path without query", "http", "a.example", "/old", toPath("/new"), "http://a.example/new"},
      {"prefix", "http", "a.example", "/old/x?bar=1", toPrefix("/new"),
       "http://a.example/new/x?bar=1"},
      {"prefix, stripped", "http", "a.example", "/old/x?bar=1", toPrefix("/new", true),
       "http://a.example/new/x"},
      {"stripped", "http", "a.example", "/old?bar=1", stripped(), "http://a.example/old"},
      // Whatever the path is, the host stays the one that was meant.
      {"two slashes", "http", "a.example", "//evil.test", {}, "http://a.example//evil.test"},
      {"a backslash", "http", "a.example", "/\\evil.test", {}, "http://a.example/\\evil.test"},
      {"user information", "http", "a.example", "/@evil.test", {}, "http://a.example/@evil.test"},
      {"a prefix that leaves two slashes", "http", "a.example", "/old/evil.test", toPrefix("/"),
       "http://a.example//evil.test"},
      {"a prefix without a slash", "http", "a.example", "/old.evil.test", toPrefix("x"),
       "http://a.example/x.evil.test"},
      {"a prefix that would be user information", "http", "a.example", "/old.evil.test",
       toPrefix("@"), "http://a.example/@.evil.test"},
      {"a path without a slash", "http", "a.example", "/old", toPath(".evil.test"),
       "http://a.example/.evil.test"},
      {"OPTIONS of the server", "http", "a.example", "*", {}, "http://a.example/*"},
  };
  PathMatch match;
  match.value = "/old";
  for (const RedirectCase& c : cases) {
    base::Arena arena;
    http::RequestHead head = request(c.target, c.authority);
    head.scheme = c.scheme;
    EXPECT_EQ(redirectLocation(head, match, c.redirect, arena), c.location) << c.what;
  }
}

}  // namespace
}  // namespace convoy::route
