#include "proxy/http/header_list.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace convoy::http {
namespace {

std::vector<HeaderName> knownNames() {
  std::vector<HeaderName> names;
  for (int i = 1; i < static_cast<int>(HeaderName::kCount); ++i) names.push_back(HeaderName(i));
  return names;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 0x20);
  }
  return out;
}

std::string dump(const HeaderList& list) {
  std::string out;
  for (const HeaderField& field : list) {
    out.append(field.name).append("=").append(field.value).append(";");
  }
  return out;
}

TEST(ClassifyTest, FindsEachKnownNameInAnyCase) {
  for (const HeaderName name : knownNames()) {
    const std::string_view text = canonicalName(name);
    ASSERT_FALSE(text.empty());
    EXPECT_EQ(classify(text), name) << text;
    EXPECT_EQ(classify(upper(text)), name) << text;
    std::string first_upper(text);
    first_upper[0] = upper(text)[0];
    EXPECT_EQ(classify(first_upper), name) << text;
  }
}

// Every single-byte change of a known name, but of the case of a letter, is another name. That
// includes bytes which differ from the right one in bit 0x20 only, such as CR for '-'.
TEST(ClassifyTest, NoOtherByteFitsAnywhere) {
  for (const HeaderName name : knownNames()) {
    const std::string text(canonicalName(name));
    for (size_t at = 0; at < text.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string changed = text;
        changed[at] = static_cast<char>(byte);
        if (changed == text || changed[at] == upper(text)[at]) continue;
        EXPECT_NE(classify(changed), name) << text << " at " << at << " byte " << byte;
      }
    }
  }
}

TEST(ClassifyTest, OtherLengthsAreOther) {
  EXPECT_EQ(classify(""), HeaderName::Other);
  EXPECT_EQ(classify("x"), HeaderName::Other);
  for (const HeaderName name : knownNames()) {
    const std::string text(canonicalName(name));
    EXPECT_EQ(classify(text + "x"), HeaderName::Other);
    EXPECT_NE(classify(text.substr(1)), name);
  }
  EXPECT_EQ(classify(std::string(70'000, 'a')), HeaderName::Other);
}

TEST(HeaderListTest, FindsByIdAndByNameIgnoringCase) {
  HeaderList list;
  list.add("X-Tenant", "blue");
  list.add("HOST", "a.test");
  list.add("x-tenant", "green");
  ASSERT_NE(list.find(HeaderName::Host), nullptr);
  EXPECT_EQ(list.find(HeaderName::Host)->value, "a.test");
  EXPECT_EQ(list.find("host")->name, "HOST");
  EXPECT_EQ(list.find("X-TENANT")->value, "blue");
  EXPECT_EQ(list.find("x-other"), nullptr);
  EXPECT_EQ(list.find(HeaderName::Cookie), nullptr);
  EXPECT_EQ(list.valueOr(HeaderName::Host, "none"), "a.test");
  EXPECT_EQ(list.valueOr(HeaderName::Date, "none"), "none");
  EXPECT_EQ(list.count(HeaderName::Host), 1);
  EXPECT_EQ(list.size(), 3U);
}

TEST(HeaderListTest, SetLeavesExactlyOneField) {
  HeaderList list;
  list.add("X-A", "1");
  list.add("Via", "1.1 one");
  list.add("x-a", "2");
  list.add("VIA", "1.1 two");
  list.add("x-b", "3");
  list.set("x-A", "9");
  EXPECT_EQ(dump(list), "X-A=9;Via=1.1 one;VIA=1.1 two;x-b=3;");
  list.set(HeaderName::Via, "1.1 three");
  EXPECT_EQ(dump(list), "X-A=9;Via=1.1 three;x-b=3;");
  list.set(HeaderName::Server, "convoy");
  list.set("X-C", "4");
  EXPECT_EQ(dump(list), "X-A=9;Via=1.1 three;x-b=3;server=convoy;X-C=4;");
  EXPECT_EQ(list.find(HeaderName::Server)->id, HeaderName::Server);
}

TEST(HeaderListTest, RemoveTakesEveryFieldOfTheName) {
  HeaderList list;
  list.add("Cookie", "a=1");
  list.add("X-A", "1");
  list.add("cookie", "b=2");
  list.add("x-a", "2");
  EXPECT_EQ(list.remove(HeaderName::Cookie), 2);
  EXPECT_EQ(list.remove(HeaderName::Cookie), 0);
  EXPECT_EQ(list.remove("x-A"), 2);
  EXPECT_EQ(list.remove("x-none"), 0);
  EXPECT_TRUE(list.empty());
  list.add("cookie", "c=3");
  EXPECT_EQ(list.remove("COOKIE"), 1);
}

TEST(HeaderListTest, KeepsMoreFieldsThanFitInline) {
  HeaderList list;
  std::vector<std::string> names;
  names.reserve(100);
  for (int i = 0; i < 100; ++i) names.push_back("x-" + std::to_string(i));
  for (const std::string& name : names) list.add(name, name);
  base::Arena arena;
  list.copyInto(arena);
  ASSERT_EQ(list.size(), 100U);
  for (const std::string& name : names) EXPECT_EQ(list.find(name)->value, name);
}

// Copies are exact wherever the fields lay, and lie as on the wire afterwards.
TEST(HeaderListTest, CopiesIntoOneBlockAsOnTheWire) {
  std::string wire =
      "Host: a.test\r\nX-One: 1\r\nX-Two:2\r\nX-Three:  3\r\nX-Empty: \r\nX-Last: end\r\n";
  std::string apart = "v";
  HeaderList list;
  auto view = [&wire](std::string_view part) {
    return std::string_view(wire).substr(wire.find(part), part.size());
  };
  list.add(view("Host"), view("a.test"));
  list.add(view("X-One"), view("1"));
  list.add(HeaderName::Via, apart);  // lies elsewhere
  list.add(view("X-Two"), view("2"));
  list.add(view("X-Three"), view("3"));  // two blanks
  const size_t empty = wire.find("X-Empty");
  list.add(view("X-Empty"), std::string_view(wire).substr(empty + 9, 0));
  list.add(view("X-Last"), view("end"));
  list.add("", "");
  const std::string before = dump(list);

  base::Arena arena;
  list.copyInto(arena);
  wire.assign(wire.size(), '#');
  apart = "#";
  EXPECT_EQ(dump(list), before);
  const HeaderList& copied = list;
  for (size_t i = 0; i < copied.size(); ++i) {
    EXPECT_TRUE(liesAsOnTheWire(copied.fields()[i])) << i;
    if (i == 0) continue;
    EXPECT_TRUE(continuesOnTheWire(copied.fields()[i - 1], copied.fields()[i])) << i;
  }
  EXPECT_EQ(std::string(copied.fields()[0].name.data(), 22), "Host: a.test\r\nX-One: 1");
}

TEST(HeaderListTest, KnowsWhetherThereMayBeFieldsOfProxies) {
  HeaderList list;
  list.add("x-request-id", "1");
  list.add("x-forwarded-for", "192.0.2.1");
  list.add("x-tenant-of-this", "blue");
  list.add("x-envoy", "too short to be one");
  list.add(HeaderName::UserAgent, "x-envoy-max-retries");
  EXPECT_FALSE(list.mayHaveOfProxies());
  list.add("X-Envoy-Max-Retries", "1");
  EXPECT_TRUE(list.mayHaveOfProxies());
  list.clear();
  EXPECT_FALSE(list.mayHaveOfProxies());
  list.set("x-convoy-retries-left", "1");
  EXPECT_TRUE(list.mayHaveOfProxies());
  const HeaderList copy = list;
  EXPECT_TRUE(copy.mayHaveOfProxies());
}

TEST(HeaderListTest, CopiesAnEmptyListAndClears) {
  HeaderList list;
  base::Arena arena;
  list.copyInto(arena);
  EXPECT_TRUE(list.empty());
  list.add("a", "b");
  list.clear();
  EXPECT_EQ(list.size(), 0U);
}

}  // namespace
}  // namespace convoy::http
