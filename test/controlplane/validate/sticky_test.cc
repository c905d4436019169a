#include "controlplane/validate/sticky.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::validate {
namespace {

// "path: rule" of every problem.
std::string problems(const std::string& sticky) {
  Problems problems;
  checkSticky(parse<v1::Sticky>(sticky), Place(&problems, {v1::KIND_POOL, "p"}, "s"));
  std::string out;
  for (const v1::Problem& problem : problems.list().problems()) {
    absl::StrAppend(&out, out.empty() ? "" : ", ", problem.field_path(), ": ", problem.rule());
  }
  return out;
}

TEST(StickyTest, Rules) {
  const std::pair<const char*, const char*> cases[] = {
      {"cookie {}", ""},
      {"cookie { name: \"a\" path: \"/p\" domain: \"example.com\" } ttl {} strict: true", ""},
      {"cookie { same_site: SAME_SITE_NONE secure: true }", ""},
      {"cookie { name: \"__Host-a\" secure: true }", ""},
      {"cookie { name: \"__Host-a\" path: \"/\" secure: true }", ""},
      {"source_ip {} ttl { seconds: 34560000 } max_clients: 10000000", ""},
      {"header { name: \"x-user\" } ttl { seconds: 1 } max_clients: 1", ""},
      {"app_cookie { name: \"JSESSIONID\" }", ""},
      {"", "s: required"},
      {"ttl { seconds: 1 }", "s: required"},
      {"cookie { name: \"a b\" }", "s.cookie.name: syntax"},
      {"cookie { path: \"p\" }", "s.cookie.path: syntax"},
      {"cookie { path: \"/a;b\" }", "s.cookie.path: syntax"},
      {"cookie { domain: \"a b\" }", "s.cookie.domain: syntax"},
      {"cookie { domain: \"*.example.com\" }", "s.cookie.domain: syntax"},
      {"cookie { same_site: 9 }", "s.cookie.same_site: enum"},
      {"cookie { same_site: SAME_SITE_NONE }", "s.cookie.same_site: conflict"},
      {"cookie { same_site: SAME_SITE_NONE secure: false }", "s.cookie.same_site: conflict"},
      {"cookie { name: \"__Secure-a\" }", "s.cookie.name: conflict"},
      {"cookie { name: \"__Host-a\" secure: true path: \"/p\" }", "s.cookie.name: conflict"},
      {"cookie { name: \"__Host-a\" secure: true domain: \"a.example\" }",
       "s.cookie.name: conflict"},
      {"cookie {} ttl { nanos: 500000000 }", "s.ttl: range"},
      {"cookie {} ttl { seconds: -1 }", "s.ttl: range"},
      {"cookie {} ttl { seconds: 34560001 }", "s.ttl: range"},
      {"cookie {} max_clients: 1", "s.max_clients: conflict"},
      {"source_ip {} ttl {}", "s.ttl: range"},
      {"source_ip {} max_clients: 0", "s.max_clients: range"},
      {"source_ip {} max_clients: 10000001", "s.max_clients: range"},
      {"app_cookie {}", "s.app_cookie.name: required"},
      {"source_ip {} redis { address: \"10.0.0.9:6379\" }", ""},
      {"source_ip {} redis { address: \"redis.example:6379\" timeout { nanos: 1000000 } "
       "key_prefix: \"a/\" password_file: \"/etc/p\" username: \"u\" database: 1000000 }",
       ""},
      {"source_ip {} redis { address: \"10.0.0.9:6379\" tls { ca: \"c\" server_name: \"r\" } }",
       ""},
      {"source_ip {} redis {}", "s.redis.address: required"},
      {"source_ip {} redis { address: \"10.0.0.9\" }", "s.redis.address: address"},
      {"cookie {} redis { address: \"10.0.0.9:6379\" }", "s.redis: conflict"},
      {"source_ip {} redis { address: \"10.0.0.9:6379\" tls {} }",
       "s.redis.tls.ca: required, s.redis.tls.server_name: required"},
      {"source_ip {} redis { address: \"10.0.0.9:6379\" timeout { seconds: 2 } }",
       "s.redis.timeout: range"},
      {"source_ip {} redis { address: \"10.0.0.9:6379\" key_prefix: \"a b\" }",
       "s.redis.key_prefix: syntax"},
      {"source_ip {} redis { address: \"10.0.0.9:6379\" password_file: \"p\" }",
       "s.redis.password_file: syntax"},
      {"source_ip {} redis { address: \"10.0.0.9:6379\" username: \"u\" }",
       "s.redis.username: conflict"},
      {"source_ip {} redis { address: \"10.0.0.9:6379\" database: 1000001 }",
       "s.redis.database: range"},
      {"header { name: \"a:b\" }", "s.header.name: syntax"},
  };
  for (const auto& [sticky, expected] : cases) EXPECT_EQ(problems(sticky), expected) << sticky;
}

}  // namespace
}  // namespace convoy::controlplane::validate
