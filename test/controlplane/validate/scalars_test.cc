#include "controlplane/validate/scalars.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "api/convoy/v1/config.pb.h"

namespace convoy::controlplane::validate {
namespace {

// The rules that a check finds broken, in order.
std::string rules(const std::function<void(const Place&)>& check) {
  Problems problems;
  check(Place(&problems, {v1::KIND_POOL, "p"}, "x"));
  std::string out;
  for (const v1::Problem& problem : problems.list().problems()) {
    if (!out.empty()) out += " ";
    out += problem.rule();
    EXPECT_FALSE(problem.reason().empty());
    EXPECT_EQ(problem.field_path().substr(0, 1), "x");
  }
  return out;
}

struct TextCase {
  std::string value;
  std::string rules;
};

TEST(ScalarsTest, Names) {
  const TextCase cases[] = {
      {"web", ""},      {"a", ""},       {"A-1_b.c", ""}, {std::string(128, 'x'), ""},
      {"", "required"}, {"-a", "name"},  {".a", "name"},  {std::string(129, 'x'), "name"},
      {"a b", "name"},  {"a/b", "name"}, {"ü", "name"},
  };
  for (const TextCase& c : cases) {
    EXPECT_EQ(rules([&c](const Place& at) { checkName(c.value, at); }), c.rules) << c.value;
  }
}

TEST(ScalarsTest, Addresses) {
  struct Case {
    std::string value;
    AddressUse use;
    std::string canonical;
    std::string rules;
  };
  const Case cases[] = {
      {"10.0.0.1:80", AddressUse::Connect, "10.0.0.1:80", ""},
      {"[2001:DB8:0::1]:80", AddressUse::Connect, "[2001:db8::1]:80", ""},
      {"unix:/run/a.sock", AddressUse::Connect, "unix:/run/a.sock", ""},
      {"unix:@a", AddressUse::Listen, "unix:@a", ""},
      {"0.0.0.0:0", AddressUse::Listen, "0.0.0.0:0", ""},
      {"10.0.0.1:0", AddressUse::Connect, "", "address"},
      {"10.0.0.1:65536", AddressUse::Connect, "", "address"},
      {"10.0.0.1", AddressUse::Connect, "", "address"},
      {"App.Example:80", AddressUse::Connect, "app.example:80", ""},
      {"localhost:80", AddressUse::Connect, "localhost:80", ""},
      {"app.example:80", AddressUse::Listen, "", "address"},
      {"app.example", AddressUse::Connect, "", "address"},
      {"app.example:0", AddressUse::Connect, "", "address"},
      {"app..example:80", AddressUse::Connect, "", "address"},
      {"10.0.0.300:80", AddressUse::Connect, "", "address"},
      {"*.example:80", AddressUse::Connect, "", "address"},
      {"a:b:80", AddressUse::Connect, "", "address"},
      {"[fe80::1%lo]:80", AddressUse::Connect, "", "address"},
      {"[fe80::1%1]:80", AddressUse::Listen, "", "address"},
      {"[fe80::1%nosuch]:80", AddressUse::Connect, "", "address"},
      {"[%lo]:80", AddressUse::Connect, "", "address"},
      {"", AddressUse::Listen, "", "required"},
  };
  for (const Case& c : cases) {
    std::string canonical;
    EXPECT_EQ(rules([&](const Place& at) { canonical = checkAddress(c.value, c.use, at); }),
              c.rules)
        << c.value;
    EXPECT_EQ(canonical, c.canonical);
  }
}

TEST(ScalarsTest, Durations) {
  struct Case {
    int64_t seconds;
    int32_t nanos;
    std::string rules;
  };
  const Case cases[] = {
      {0, 1'000'000, ""},
      {10, 0, ""},
      {5, 999'999'999, ""},
      {0, 0, "range"},
      {0, 999'999, "range"},
      {10, 1, "range"},
      {-1, 0, "range"},
      {1, -1, "range"},
      {11, 0, "range"},
      {std::numeric_limits<int64_t>::max(), 0, "range"},
      {std::numeric_limits<int64_t>::min(), 0, "range"},
      {1, std::numeric_limits<int32_t>::min(), "range"},
  };
  for (const Case& c : cases) {
    google::protobuf::Duration duration;
    duration.set_seconds(c.seconds);
    duration.set_nanos(c.nanos);
    EXPECT_EQ(
        rules([&](const Place& at) { checkDuration(duration, 1, 10'000, "1 ms to 10 s", at); }),
        c.rules)
        << c.seconds << " " << c.nanos;
  }
}

TEST(ScalarsTest, Ranges) {
  EXPECT_EQ(rules([](const Place& at) { checkRange(1, 1, 128, at); }), "");
  EXPECT_EQ(rules([](const Place& at) { checkRange(128, 1, 128, at); }), "");
  EXPECT_EQ(rules([](const Place& at) { checkRange(0, 1, 128, at); }), "range");
  EXPECT_EQ(rules([](const Place& at) { checkRange(129, 1, 128, at); }), "range");
}

TEST(ScalarsTest, Selectors) {
  v1::NodeSelector selector;
  (*selector.mutable_labels())["role"] = "edge";
  EXPECT_EQ(rules([&](const Place& at) { checkSelector(selector, at); }), "");
  (*selector.mutable_labels())["empty"] = "";
  EXPECT_EQ(rules([&](const Place& at) { checkSelector(selector, at); }), "range");
  for (int i = 0; i < 20; ++i) (*selector.mutable_labels())["k" + std::to_string(i)] = "v";
  EXPECT_EQ(rules([&](const Place& at) { checkSelector(selector, at); }), "too_many range");
}

TEST(ScalarsTest, Paths) {
  const TextCase cases[] = {
      {"/", ""},          {"/api/v1", ""},    {"/a%20b", ""},     {"/ü", ""},
      {"", "syntax"},     {"api", "syntax"},  {"/a?b", "syntax"}, {"/a#b", "syntax"},
      {"/a b", "syntax"}, {"/a\n", "syntax"},
  };
  for (const TextCase& c : cases) {
    EXPECT_EQ(rules([&c](const Place& at) { checkPath(c.value, at); }), c.rules) << c.value;
  }
}

TEST(ScalarsTest, Hosts) {
  const TextCase cases[] = {
      {"example.com", ""},
      {"*.example.com", ""},
      {"10.0.0.1", ""},
      {"[::1]", ""},
      {"Example.COM", ""},
      {"", "syntax"},
      {"*", "syntax"},
      {"*.", "syntax"},
      {"a.*", "syntax"},
      {"example.com:80", "syntax"},
      {"[zz]", "syntax"},
      {"a..b", "syntax"},
      {".a", "syntax"},
      {"a.", "syntax"},
      {"*.[::1]", "syntax"},
      {"a/b", "syntax"},
      {std::string(254, 'a'), "syntax"},
  };
  for (const TextCase& c : cases) {
    EXPECT_EQ(rules([&c](const Place& at) { checkHost(c.value, at); }), c.rules) << c.value;
  }
}

TEST(ScalarsTest, HeadersAndMethods) {
  const TextCase names[] = {
      {"x-tenant", ""}, {"X_T!", ""}, {"", "required"}, {":path", "syntax"}, {"a b", "syntax"}};
  for (const TextCase& c : names) {
    EXPECT_EQ(rules([&c](const Place& at) { checkHeaderName(c.value, at); }), c.rules) << c.value;
  }
  const TextCase values[] = {
      {"", ""}, {"a\tb ü", ""}, {"a\nb", "syntax"}, {std::string("\0", 1), "syntax"}};
  for (const TextCase& c : values) {
    EXPECT_EQ(rules([&c](const Place& at) { checkHeaderValue(c.value, at); }), c.rules) << c.value;
  }
  const TextCase methods[] = {
      {"GET", ""}, {"M-SEARCH", ""}, {"get", "syntax"}, {"", "syntax"}, {"A|B", "syntax"}};
  for (const TextCase& c : methods) {
    EXPECT_EQ(rules([&c](const Place& at) { checkMethod(c.value, at); }), c.rules) << c.value;
  }
}

TEST(ScalarsTest, UnknownFieldsAtAnyDepth) {
  v1::Config config;
  EXPECT_EQ(rules([&](const Place& at) { checkUnknownFields(config, at); }), "");
  v1::Listener* listener = config.add_listeners();
  (*listener->mutable_nodes()->mutable_labels())["a"] = "b";
  listener->add_routes()->mutable_match()->add_headers();
  EXPECT_EQ(rules([&](const Place& at) { checkUnknownFields(config, at); }), "");
  v1::RouteMatch* match = listener->mutable_routes(0)->mutable_match();
  match->GetReflection()->MutableUnknownFields(match)->AddVarint(99, 1);
  Problems problems;
  checkUnknownFields(config, Place(&problems, {}, ""));
  ASSERT_EQ(problems.list().problems_size(), 1);
  EXPECT_EQ(problems.list().problems(0).field_path(), "listeners[0].routes[0].match");
  EXPECT_EQ(problems.list().problems(0).rule(), "unknown_field");
  EXPECT_EQ(problems.list().problems(0).value(), "field number 99");
}

TEST(ScalarsTest, Upgrades) {
  const struct {
    std::vector<std::string> protocols;
    bool none_allowed;
    std::string rules;
  } cases[] = {
      {{}, true, ""},
      {{"websocket", "IRC/6.9"}, false, ""},
      {{"none"}, true, ""},
      {{"none"}, false, "conflict"},
      {{"none", "websocket"}, true, "conflict"},
      {{"websocket", "WebSocket"}, true, "duplicate"},
      {{"Connect"}, true, "value"},
      {{"", "a b", std::string(65, 'a')}, true, "syntax syntax syntax"},
      {std::vector<std::string>(17, "x"), true,
       "too_many" + absl::StrJoin(std::vector<std::string>(17, ""), " duplicate")},
  };
  for (const auto& c : cases) {
    const google::protobuf::RepeatedPtrField<std::string> list(c.protocols.begin(),
                                                               c.protocols.end());
    EXPECT_EQ(rules([&](const Place& at) { checkUpgrades(list, c.none_allowed, at); }), c.rules)
        << absl::StrJoin(c.protocols, ",");
  }
}

}  // namespace
}  // namespace convoy::controlplane::validate
