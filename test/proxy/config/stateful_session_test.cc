#include "proxy/config/stateful_session.h"

#include <fstream>

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::extensions::filters::http::stateful_session::v3::StatefulSession;
using envoy::extensions::filters::http::stateful_session::v3::StatefulSessionPerRoute;
using SameSite = http::CookieSpec::SameSite;
namespace session = filter::stateful_session;

// 32 zero bytes, and 32 times "1".
constexpr char kKey[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
constexpr char kOther[] = "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE=";

std::string state(const std::string& type, const std::string& fields) {
  return "session_state: {name: s, typed_config: {\"@type\": type.googleapis.com/" + type + ", " +
         fields + "}}";
}
std::string signedCookie(const std::string& fields,
                         const std::string& keys = std::string("[{inline_bytes: ") + kKey + "}]") {
  return state("convoy.ext.SignedCookie", fields + ", keys: " + keys);
}
std::string learned(const std::string& fields) {
  return state("convoy.ext.LearnedSession", fields);
}
std::string sharedIn(const std::string& fields) {
  return learned("table: t, source_ip: {}, redis: {" + fields + "}");
}
std::string addressCookie(const std::string& fields) {
  return state("envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState",
               "cookie: {" + fields + "}");
}

template <class Spec>
Spec read(const std::string& yaml) {
  base::FieldReport report;
  const auto spec = makeStatefulSession(fromYaml<StatefulSession>(yaml), testContext(), report);
  EXPECT_EQ(brief(report.errors()), Lines()) << yaml;
  const Spec* const found = std::get_if<Spec>(&spec->session.state);
  EXPECT_NE(found, nullptr) << yaml;
  return found == nullptr ? Spec() : *found;
}

TEST(StatefulSessionConfig, WithoutAStateThereAreNoSessions) {
  read<std::monostate>("{}");
  base::FieldReport report;
  EXPECT_TRUE(makeStatefulSession(fromYaml<StatefulSession>("strict: true"), testContext(), report)
                  ->session.strict);
}

TEST(StatefulSessionConfig, EnvoysStates) {
  const auto cookie = read<session::AddressCookie>(addressCookie("name: c, path: /p, ttl: 60s"));
  EXPECT_EQ(cookie.cookie.name, "c");
  EXPECT_EQ(cookie.cookie.path, "/p");
  EXPECT_EQ(cookie.cookie.ttl, std::chrono::seconds(60));
  EXPECT_EQ(cookie.cookie.secure, false) << "as Envoy has it";
  const auto header = read<session::AddressHeader>(
      state("envoy.extensions.http.stateful_session.header.v3.HeaderBasedSessionState", "name: H"));
  EXPECT_EQ(header.name, "h");
}

TEST(StatefulSessionConfig, ASignedCookie) {
  const auto least = read<session::SignedCookie>(signedCookie("name: c"));
  EXPECT_EQ(least.cookie.ttl.count(), 0);
  EXPECT_EQ(least.cookie.secure, std::nullopt);
  EXPECT_TRUE(least.cookie.http_only);
  EXPECT_EQ(least.cookie.same_site, SameSite::Unset);
  EXPECT_EQ(least.keys, std::vector<std::string>{std::string(32, '\0')});
  const auto all = read<session::SignedCookie>(
      signedCookie("name: __Secure-c, path: /p, domain: example.com, ttl: 3600s, "
                   "same_site: SAME_SITE_NONE, secure: true, http_only: false",
                   std::string("[{inline_bytes: ") + kKey + "}, {inline_bytes: " + kOther + "}]"));
  EXPECT_EQ(all.cookie.path, "/p");
  EXPECT_EQ(all.cookie.domain, "example.com");
  EXPECT_EQ(all.cookie.ttl, std::chrono::hours(1));
  EXPECT_EQ(all.cookie.same_site, SameSite::None);
  EXPECT_EQ(all.cookie.secure, true);
  EXPECT_FALSE(all.cookie.http_only);
  EXPECT_EQ(all.keys.size(), 2u);
}

TEST(StatefulSessionConfig, ALearnedSession) {
  const auto ip = read<session::Learned>(learned("table: t, source_ip: {}"));
  EXPECT_EQ(ip.table, "t");
  EXPECT_EQ(ip.key, session::Learned::Key::SourceIp);
  EXPECT_EQ(ip.ttl, std::chrono::hours(1));
  EXPECT_EQ(ip.max_entries, 100'000u);
  const auto cookie = read<session::Learned>(
      learned("table: t, cookie: {name: JSESSIONID}, ttl: 5s, max_entries: 7"));
  EXPECT_EQ(cookie.key, session::Learned::Key::Cookie);
  EXPECT_EQ(cookie.name, "JSESSIONID");
  EXPECT_EQ(cookie.ttl, std::chrono::seconds(5));
  EXPECT_EQ(cookie.max_entries, 7u);
  const auto header = read<session::Learned>(learned("table: t, header: {name: x-user}"));
  EXPECT_EQ(header.key, session::Learned::Key::Header);
}

TEST(StatefulSessionConfig, OfARoute) {
  base::FieldReport report;
  const auto off = makeStatefulSessionPerRoute(fromYaml<StatefulSessionPerRoute>("disabled: true"),
                                               testContext(), report);
  EXPECT_TRUE(off->disabled);
  const auto own = makeStatefulSessionPerRoute(
      fromYaml<StatefulSessionPerRoute>("stateful_session: {" + signedCookie("name: c") + "}"),
      testContext(), report);
  EXPECT_FALSE(own->disabled);
  EXPECT_TRUE(std::holds_alternative<session::SignedCookie>(own->session.state));
  EXPECT_TRUE(report.ok());
}

TEST(StatefulSessionConfig, ARedisForWhatIsLearned) {
  EXPECT_FALSE(read<session::Learned>(learned("table: t, source_ip: {}")).shared.has_value());
  const auto least = *read<session::Learned>(sharedIn("cluster: r")).shared;
  EXPECT_EQ(least.server, (redis::ClientSpec{.cluster = "r"}));
  EXPECT_EQ(least.server.timeout.count(), 20);
  EXPECT_EQ(least.key_prefix, "sticky:");
  const auto all = *read<session::Learned>(
                        sharedIn("cluster: r, timeout: 0.05s, key_prefix: 'shop/', username: u, "
                                 "password: {inline_string: p}, database: 3"))
                        .shared;
  EXPECT_EQ(all.server, (redis::ClientSpec{.cluster = "r",
                                           .timeout = std::chrono::milliseconds(50),
                                           .username = "u",
                                           .password = "p",
                                           .database = 3}));
  EXPECT_EQ(all.key_prefix, "shop/");
}

TEST(StatefulSessionConfig, APasswordInAFile) {
  const std::string path = testing::TempDir() + "redis_password";
  std::ofstream(path) << "secret\n";
  Context context = testContext();
  context.read_files = true;
  base::FieldReport report;
  const auto spec = makeStatefulSession(
      fromYaml<StatefulSession>(sharedIn("cluster: r, password: {filename: " + path + "}")),
      context, report);
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(std::get<session::Learned>(spec->session.state).shared->server.password, "secret");
}

TEST(StatefulSessionConfig, Refusals) {
  const std::string at = "session_state.typed_config";
  const ErrorCase cases[] = {
      {"session_state: {name: s, typed_config: {\"@type\": "
       "type.googleapis.com/google.protobuf.StringValue, value: a}}",
       {at + ": unsupported_extension: google.protobuf.StringValue"}},
      {addressCookie("name: 'a b'"), {at + ".cookie.name: malformed: a b"}},
      {addressCookie("name: a, path: 'x'"), {at + ".cookie.path: malformed: x"}},
      {addressCookie("name: a, path: '/;b'"), {at + ".cookie.path: malformed: /;b"}},
      {addressCookie("name: a, ttl: 0.5s"), {at + ".cookie.ttl: range: 0"}},
      {addressCookie("name: a, ttl: 34560001s"), {at + ".cookie.ttl: range: 34560001"}},
      {signedCookie("path: /"), {at + ".name: required: "}},
      {signedCookie("name: c, domain: 'a;b'"), {at + ".domain: malformed: a;b"}},
      {signedCookie("name: c, same_site: SAME_SITE_NONE"),
       {at + ".same_site: conflict: SAME_SITE_NONE"}},
      {signedCookie("name: __Secure-c"), {at + ".name: conflict: __Secure-c"}},
      {signedCookie("name: __Host-c, secure: true"), {at + ".name: conflict: __Host-c"}},
      {signedCookie("name: __Host-c, secure: true, path: /, domain: a.example"),
       {at + ".name: conflict: __Host-c"}},
      {signedCookie("name: __Host-c, secure: true, path: /"), {}},
      {signedCookie("name: c", "[]"), {at + ".keys: range: 0"}},
      {signedCookie("name: c", "[{}]"), {at + ".keys[0]: required: "}},
      {signedCookie("name: c", "[{inline_bytes: c2hvcnQ=}]"), {at + ".keys[0]: range: "}},
      {signedCookie("name: c",
                    std::string("[{inline_bytes: ") + kKey + "}, {inline_bytes: " + kKey + "}]"),
       {at + ".keys[1]: duplicate: "}},
      {signedCookie("name: c", "[{filename: /nowhere}]"), {}},
      {learned("source_ip: {}"), {at + ".table: required: "}},
      {learned("table: t"), {at + ".key: required: "}},
      {learned("table: t, header: {}"), {at + ".header.name: required: "}},
      {learned("table: t, cookie: {name: 'a='}"), {at + ".cookie.name: malformed: a="}},
      {learned("table: t, source_ip: {}, ttl: 0s"), {at + ".ttl: range: 0"}},
      {learned("table: t, source_ip: {}, max_entries: 10000001"),
       {at + ".max_entries: range: 10000001"}},
      {sharedIn(""), {at + ".redis.cluster: required: "}},
      {sharedIn("cluster: r, timeout: 0s"), {at + ".redis.timeout: range: 0ms"}},
      {sharedIn("cluster: r, timeout: 1.001s"), {at + ".redis.timeout: range: 1001ms"}},
      {sharedIn("cluster: r, key_prefix: 'a b'"), {at + ".redis.key_prefix: malformed: a b"}},
      {sharedIn("cluster: r, key_prefix: " + std::string(65, 'k')),
       {at + ".redis.key_prefix: malformed: " + std::string(65, 'k')}},
      {sharedIn("cluster: r, username: u"), {at + ".redis.username: conflict: u"}},
      {sharedIn("cluster: r, username: u, password: {inline_string: \"\"}"),
       {at + ".redis.password: required: "}},
      {sharedIn("cluster: r, password: {}"), {at + ".redis.password: required: "}},
      {sharedIn("cluster: r, database: 1000001"), {at + ".redis.database: range: 1000001"}},
  };
  for (const ErrorCase& c : cases) {
    base::FieldReport report;
    makeStatefulSession(fromYaml<StatefulSession>(c.yaml), testContext(), report);
    EXPECT_EQ(brief(report.errors()), c.errors) << c.yaml;
  }
}

TEST(StatefulSessionConfig, AFileOfKeysIsReadWhereFilesAre) {
  Context context = testContext();
  context.read_files = true;
  base::FieldReport report;
  makeStatefulSession(fromYaml<StatefulSession>(signedCookie("name: c", "[{filename: /nowhere}]")),
                      context, report);
  ASSERT_EQ(report.errors().size(), 1u);
  EXPECT_EQ(report.errors()[0].field_path, "session_state.typed_config.keys[0].filename");
}

}  // namespace
}  // namespace convoy::config
