#include "proxy/route/virtual_host_index.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace convoy::route {
namespace {

// Hosts of one domain each; find() answers with the domain.
class Index {
 public:
  explicit Index(const std::vector<std::string>& domains) {
    for (const std::string& domain : domains) {
      auto paths = std::make_shared<const PathIndex>();
      names_[paths.get()] = domain;
      EXPECT_TRUE(index_.add({domain}, paths).ok()) << domain;
    }
  }
  std::string find(std::string_view authority) const {
    const PathIndex* found = index_.find(authority);
    return found == nullptr ? "none" : names_.at(found);
  }

 private:
  VirtualHostIndex index_;
  std::map<const PathIndex*, std::string> names_;
};

struct Case {
  const char* authority;
  const char* domain;
};

TEST(VirtualHostIndexTest, FollowsEnvoysOrder) {
  const Index index({"*", "a.example", "a.example:8080", "*.example", "*.b.example", "*-x.example",
                     "a.*", "www.a.*", "[::1]", "[::1]:80", "UPPER.example"});
  const Case cases[] = {
      {"a.example", "a.example"},
      {"A.Example", "a.example"},
      {"a.example:8080", "a.example:8080"},
      {"a.example:81", "a.*"},  // the port belongs to the name
      {"c.example", "*.example"},
      {"d.b.example", "*.b.example"},  // the longest suffix
      {"b.example", "*.example"},
      {".example", "*"},  // "*" stands for at least one byte
      {"1-x.example", "*-x.example"},
      {"-x.example", "*.example"},
      {"a.org", "a.*"},
      {"a.", "*"},
      {"www.a.org", "www.a.*"},        // the longest prefix
      {"www.a.example", "*.example"},  // suffixes before prefixes
      {"[::1]", "[::1]"},
      {"[::1]:80", "[::1]:80"},
      {"[::2]", "*"},
      {"upper.EXAMPLE", "UPPER.example"},
      {"org", "*"},
      {"", "*"},
  };
  for (const Case& c : cases) EXPECT_EQ(index.find(c.authority), c.domain) << c.authority;
}

TEST(VirtualHostIndexTest, WithoutAWildcardThereMayBeNone) {
  const Index index({"a.example"});
  EXPECT_EQ(index.find("a.example"), "a.example");
  EXPECT_EQ(index.find("b.example"), "none");
  EXPECT_EQ(index.find(""), "none");
  EXPECT_EQ(Index({}).find("a.example"), "none");
  EXPECT_EQ(Index({"*"}).find("a.example"), "*");
}

TEST(VirtualHostIndexTest, LongNames) {
  const std::string label(250, 'x');
  const Index index({"*", "*.example", label + ".example"});
  EXPECT_EQ(index.find(label + ".example"), label + ".example");
  EXPECT_EQ(index.find(label + "y.example"), "*.example");
  EXPECT_EQ(index.find(std::string(100'000, 'x') + ".other"), "*");
}

// Length leads nobody out of a virtual host into the catch-all.
TEST(VirtualHostIndexTest, WildcardsHoldForTextsLongerThanAnyName) {
  const std::string longest(300, 'x');
  const Index index({"*", "*.example", "a.*", longest + ".b.example"});
  for (const size_t size : {250u, 256u, 257u, 300u, 60'000u}) {
    const std::string label(size, 'y');
    EXPECT_EQ(index.find(label + ".EXAMPLE"), "*.example") << size;
    EXPECT_EQ(index.find("A." + label), "a.*") << size;
    EXPECT_EQ(index.find(label), "*") << size;
  }
  EXPECT_EQ(index.find(longest + ".B.example"), longest + ".b.example");
}

struct BadCase {
  std::vector<std::string> domains;
  const char* part;
};

TEST(VirtualHostIndexTest, RefusesWhatIsAmbiguousOrMisplaced) {
  const BadCase cases[] = {
      {{"a.example", "A.example"}, "\"A.example\" is given twice"},
      {{"*", "*"}, "\"*\" is given twice"},
      {{"*.a", "*.A"}, "\"*.A\" is given twice"},
      {{"a.*", "a.*"}, "\"a.*\" is given twice"},
      {{"a.*.b"}, "\"a.*.b\""},
      {{"*.*"}, "\"*.*\""},
      {{"**"}, "\"**\""},
  };
  for (const BadCase& c : cases) {
    VirtualHostIndex index;
    const absl::Status status = index.add(c.domains, std::make_shared<const PathIndex>());
    ASSERT_FALSE(status.ok()) << c.domains.back();
    EXPECT_NE(std::string(status.message()).find(c.part), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace convoy::route
