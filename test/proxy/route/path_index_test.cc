#include "proxy/route/path_index.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "proxy/route/conditions.h"
#include "test/proxy/route/requests.h"

namespace convoy::route {
namespace {

using Kind = PathMatch::Kind;

// Routes with the names a, b, c, ... in their order.
class Paths {
 public:
  explicit Paths(const std::vector<PathMatch>& paths) {
    host_.routes.resize(paths.size());
    for (size_t i = 0; i < paths.size(); ++i) {
      Route& route = host_.routes[i];
      route.name = std::string(1, static_cast<char>('a' + i));
      route.match.path = paths[i];
      route.action = DirectResponse{};
      routes_.push_back(
          std::make_unique<CompiledRoute>(table_, host_, route, static_cast<uint32_t>(i),
                                          *Conditions::compile(route.match), nullptr));
      index_.add(*routes_.back());
    }
  }
  std::string match(std::string_view target) const {
    event::Random random(1);
    Draw draw(random);
    const CompiledRoute* found = index_.match(test::request(target), draw);
    return found == nullptr ? "-" : found->spec().name;
  }

 private:
  RouteTableSpec table_;
  VirtualHost host_;
  std::vector<std::unique_ptr<CompiledRoute>> routes_;
  PathIndex index_;
};

PathMatch prefix(std::string value) {
  return {.kind = Kind::Prefix, .value = std::move(value)};
}
PathMatch exact(std::string value) {
  return {.kind = Kind::Exact, .value = std::move(value)};
}
PathMatch segment(std::string value) {
  return {.kind = Kind::SegmentPrefix, .value = std::move(value)};
}
PathMatch regex(std::string value) {
  return {.kind = Kind::Regex, .value = std::move(value)};
}
PathMatch anyCase(PathMatch match) {
  match.case_sensitive = false;
  return match;
}

struct Case {
  std::vector<PathMatch> paths;
  const char* target;
  const char* route;
};

TEST(PathIndexTest, TheFirstThatMatchesWins) {
  const Case cases[] = {
      {{}, "/", "-"},
      {{prefix("/")}, "/any", "a"},
      {{prefix("")}, "*", "a"},
      {{exact("/x"), prefix("/")}, "/x", "a"},
      {{exact("/x"), prefix("/")}, "/xy", "b"},
      {{prefix("/"), exact("/x")}, "/x", "a"},
      {{prefix("/abc"), prefix("/ab"), prefix("/a")}, "/abd", "b"},
      {{prefix("/a"), prefix("/abc")}, "/abc", "a"},
      {{exact("/x")}, "/x?y=1", "a"},  // without the query
      {{exact("/x")}, "/x#y", "a"},
      {{prefix("/x?y")}, "/x?y", "-"},
      {{exact("/x")}, "/X", "-"},
      {{segment("/a")}, "/a", "a"},
      {{segment("/a")}, "/a/b", "a"},
      {{segment("/a")}, "/ab", "-"},
      {{segment("/a"), prefix("/a")}, "/ab", "b"},
      {{segment("/a")}, "/a?x", "a"},
      {{regex("/[0-9]+")}, "/17", "a"},
      {{regex("/[0-9]+")}, "/17/x", "-"},
      {{regex("/[0-9]+"), prefix("/")}, "/x", "b"},
      {{prefix("/1"), regex("/[0-9]+")}, "/17", "a"},
      {{prefix("/2"), regex("/[0-9]+"), prefix("/")}, "/17?x", "b"},
      {{anyCase(regex("/ABC"))}, "/abc", "a"},
      {{anyCase(exact("/ABC"))}, "/abc", "a"},
      {{anyCase(prefix("/ABC"))}, "/abcd", "a"},
      {{anyCase(segment("/ABC"))}, "/abc/d", "a"},
      {{anyCase(segment("/ABC"))}, "/abcd", "-"},
      {{prefix("/abcd"), prefix("/abxy"), prefix("/ab")}, "/abx", "c"},
      {{exact("/abcd"), exact("/ab"), exact("/abcdef")}, "/abcd", "a"},
      {{exact("/abcd"), exact("/ab"), exact("/abcdef")}, "/ab", "b"},
      {{exact("/abcd"), exact("/ab"), exact("/abcdef")}, "/abcdef", "c"},
      {{exact("/abcd"), exact("/ab"), exact("/abcdef")}, "/abc", "-"},
      {{exact("/same"), exact("/same")}, "/same", "a"},
  };
  for (const Case& c : cases) {
    std::string what;
    for (const PathMatch& path : c.paths) what += path.value + " ";
    EXPECT_EQ(Paths(c.paths).match(c.target), c.route) << what << "on " << c.target;
  }
}

TEST(PathIndexTest, ManyNestedPrefixes) {
  std::vector<PathMatch> paths;
  for (int depth = 25; depth > 0; --depth) paths.push_back(prefix("/" + std::string(depth, 'x')));
  const Paths nested(paths);
  for (int depth = 1; depth <= 25; ++depth) {
    EXPECT_EQ(nested.match("/" + std::string(depth, 'x')),
              std::string(1, static_cast<char>('a' + 25 - depth)));
  }
  EXPECT_EQ(nested.match("/y"), "-");
}

}  // namespace
}  // namespace convoy::route
