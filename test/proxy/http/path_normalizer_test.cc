#include "proxy/http/path_normalizer.h"

#include <gtest/gtest.h>

namespace convoy::http {
namespace {

constexpr PathPolicy kNormalize{.normalize = true};
constexpr PathPolicy kMerge{.merge_slashes = true};
constexpr PathPolicy kForward{.escaped_slashes = EscapedSlashes::UnescapeAndForward};
constexpr PathPolicy kRedirect{.escaped_slashes = EscapedSlashes::UnescapeAndRedirect};
constexpr PathPolicy kReject{.escaped_slashes = EscapedSlashes::Reject};
constexpr PathPolicy kAll{.normalize = true,
                          .merge_slashes = true,
                          .escaped_slashes = EscapedSlashes::UnescapeAndForward};

struct Case {
  PathPolicy policy;
  std::string_view given;
  std::string_view result;
};

TEST(PathNormalizerTest, Forwards) {
  const Case cases[] = {
      {{}, "/a/../b//%2e%2f\\?x", "/a/../b//%2e%2f\\?x"},
      {kAll, "/plain/path?q=/../%2e", "/plain/path?q=/../%2e"},
      {kAll, "*", "*"},
      {kAll, "a.test:80", "a.test:80"},
      {kAll, "/", "/"},
      // Dot segments.
      {kNormalize, "/.", "/"},
      {kNormalize, "/..", "/"},
      {kNormalize, "/a/.", "/a/"},
      {kNormalize, "/a/..", "/"},
      {kNormalize, "/a/./b", "/a/b"},
      {kNormalize, "/a/../b", "/b"},
      {kNormalize, "/a/b/../..", "/"},
      {kNormalize, "/../../a", "/a"},
      {kNormalize, "/a/...", "/a/..."},
      {kNormalize, "/a/.b/..c", "/a/.b/..c"},
      {kNormalize, "/a/b/..?x=/../", "/a/?x=/../"},
      {kNormalize, "/public/../admin", "/admin"},
      {kNormalize, "/public/%2e%2E/admin", "/admin"},
      {kNormalize, "/public/.%2e/admin", "/admin"},
      {kNormalize, "/public/..%2fadmin", "/public/..%2fadmin"},
      {kNormalize, "/public\\..\\admin", "/admin"},
      {kNormalize, "/a//../b", "/a/b"},
      {kNormalize, "//a", "//a"},
      // Escapes.
      {kNormalize, "/%61dmin", "/admin"},
      {kNormalize, "/%7Ea%2D%5F", "/~a-_"},
      {kNormalize, "/%C3%a9%20%3f", "/%C3%a9%20%3f"},
      {kNormalize, "/%252e%252e/", "/%252e%252e/"},
      // Slashes.
      {kMerge, "//a///b//", "/a/b/"},
      {kMerge, "/a?b//c", "/a?b//c"},
      {kMerge, "/a/../b", "/a/../b"},
      {kForward, "/a%2Fb%2f%5c%5C", "/a/b/\\\\"},
      {kForward, "/a?%2f", "/a?%2f"},
      {kForward, "/a%2", "/a%2"},
      // In this order: what one uncovers the next sees.
      {kAll, "/public%2f..%2fadmin", "/admin"},
      {kAll, "/public%5c..%5cadmin", "/admin"},
      {kAll, "/a/%2e%2e//admin", "/admin"},
  };
  for (const Case& c : cases) {
    base::Arena arena;
    std::string_view target = c.given;
    EXPECT_EQ(applyPathPolicy(c.policy, target, arena), PathVerdict::Forward) << c.given;
    EXPECT_EQ(target, c.result) << c.given;
  }
}

TEST(PathNormalizerTest, ASecondPassChangesNothing) {
  for (const std::string_view given :
       {"/a/%2e%2e%2f..//b\\c", "/%2e/%2E%2e/a//", "/%41%2f%2f..", "/%252f%252e"}) {
    base::Arena arena;
    std::string_view once = given;
    ASSERT_EQ(applyPathPolicy(kAll, once, arena), PathVerdict::Forward);
    std::string_view twice = once;
    EXPECT_EQ(applyPathPolicy(kAll, twice, arena), PathVerdict::Forward);
    EXPECT_EQ(twice, once);
  }
}

TEST(PathNormalizerTest, Redirects) {
  base::Arena arena;
  std::string_view target = "/a%2fb?c";
  EXPECT_EQ(applyPathPolicy(kRedirect, target, arena), PathVerdict::Redirect);
  EXPECT_EQ(target, "/a/b?c");
  std::string_view without = "/a/../b";
  EXPECT_EQ(applyPathPolicy(kRedirect, without, arena), PathVerdict::Forward);
}

TEST(PathNormalizerTest, Refuses) {
  base::Arena arena;
  for (std::string_view target :
       {"/%00", "/a/%00..", "/%", "/%4", "/%4x", "/%x4", "/a%%32e", "/%%"}) {
    EXPECT_EQ(applyPathPolicy(kNormalize, target, arena), PathVerdict::Refuse) << target;
  }
  std::string_view slash = "/a%2Fb";
  EXPECT_EQ(applyPathPolicy(kReject, slash, arena), PathVerdict::RefuseSlashes);
  std::string_view none = "/a/b%2e";
  EXPECT_EQ(applyPathPolicy(kReject, none, arena), PathVerdict::Forward);
}

}  // namespace
}  // namespace convoy::http
