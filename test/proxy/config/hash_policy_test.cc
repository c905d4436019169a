#include "proxy/config/hash_policy.h"

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using Kind = route::HashPolicy::Kind;
using std::chrono::milliseconds;

std::vector<route::HashPolicy> convert(const std::string& list, Lines* errors = nullptr) {
  base::FieldReport report;
  auto policies = toHashPolicies(
      fromYaml<envoy::config::route::v3::RouteAction>("hash_policy: " + list), report);
  if (errors != nullptr) {
    *errors = brief(report.errors());
  } else {
    EXPECT_EQ(brief(report.errors()), Lines()) << list;
  }
  return policies;
}

TEST(HashPolicy, EveryKind) {
  const auto policies = convert(R"(
- {header: {header_name: x-user}, terminal: true}
- cookie: {name: session, ttl: 1.5s, path: /a, attributes: [{name: SameSite, value: Lax}, {name: Secure}]}
- cookie: {name: passive}
- {connection_properties: {source_ip: true}}
- {connection_properties: {source_ip: false}}
- {query_parameter: {name: user}}
)");
  ASSERT_EQ(policies.size(), 5u);
  EXPECT_EQ(policies[0].kind, Kind::Header);
  EXPECT_EQ(policies[0].name, "x-user");
  EXPECT_TRUE(policies[0].terminal);
  EXPECT_EQ(policies[1].kind, Kind::Cookie);
  EXPECT_EQ(policies[1].name, "session");
  EXPECT_EQ(policies[1].cookie_ttl, milliseconds(1500));
  EXPECT_EQ(policies[1].cookie_path, "/a");
  EXPECT_EQ(policies[1].cookie_attributes, (std::vector<std::pair<std::string, std::string>>{
                                               {"SameSite", "Lax"}, {"Secure", ""}}));
  EXPECT_FALSE(policies[1].terminal);
  EXPECT_EQ(policies[2].cookie_ttl, std::nullopt);
  EXPECT_EQ(policies[3].kind, Kind::SourceIp);
  EXPECT_EQ(policies[4].kind, Kind::QueryParameter);
  EXPECT_EQ(policies[4].name, "user");
}

TEST(HashPolicy, CookiesThatCannotBeWritten) {
  const std::pair<std::string, Lines> cases[] = {
      {"[{cookie: {name: 'a b'}}]", {"hash_policy[0].cookie.name: malformed: a b"}},
      {"[{cookie: {name: a=b}}]", {"hash_policy[0].cookie.name: malformed: a=b"}},
      {"[{cookie: {name: a, path: '/;Domain=x'}}]",
       {"hash_policy[0].cookie.path: malformed: /;Domain=x"}},
      {"[{cookie: {name: a, path: \"/\\r\\n\"}}]",
       {"hash_policy[0].cookie.path: malformed: /\r\n"}},
      {"[{cookie: {name: a, attributes: [{name: b, value: 'c; d'}]}}]",
       {"hash_policy[0].cookie.attributes[0].value: malformed: c; d"}},
      {"[{cookie: {name: a, ttl: -1s}}]", {"hash_policy[0].cookie.ttl: range: -1s"}},
  };
  for (const auto& [list, expected] : cases) {
    Lines errors;
    convert(list, &errors);
    EXPECT_EQ(errors, expected) << list;
  }
}

}  // namespace
}  // namespace convoy::config
