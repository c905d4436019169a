#include "controlplane/validate/dns.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::validate {
namespace {

TEST(DnsTest, Fields) {
  std::string many;
  for (int i = 0; i < 17; ++i) absl::StrAppend(&many, "servers: \"10.0.0.1:53\" ");
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {R"(families: FAMILIES_ALL min_refresh { seconds: 1 } max_refresh { seconds: 86400 }
          not_found_confirmations: 100 one_address: true servers: "10.0.0.53:53"
          servers: "[fd00::53]:5353")",
       ""},
      {"min_refresh { seconds: 60 }", ""},
      {"families: 17", "x.families: enum"},
      {"min_refresh { nanos: 999999999 }", "x.min_refresh: range"},
      {"max_refresh { seconds: 86401 }", "x.max_refresh: range"},
      {"min_refresh { seconds: 61 }", "x.min_refresh: conflict"},
      {"max_refresh { seconds: 4 }", "x.max_refresh: conflict"},
      {"min_refresh { seconds: 9 nanos: 1 } max_refresh { seconds: 9 }", "x.max_refresh: conflict"},
      {"not_found_confirmations: 0", "x.not_found_confirmations: range"},
      {"not_found_confirmations: 101", "x.not_found_confirmations: range"},
      {R"(servers: "dns.example:53" servers: "10.0.0.53" servers: "10.0.0.53:0"
          servers: "unix:/run/dns")",
       "x.servers[0]: address, x.servers[1]: address, x.servers[2]: address, x.servers[3]: "
       "address"},
      {many, "x.servers: too_many"},
  };
  for (const auto& [text, expected] : cases) {
    Problems problems;
    checkPoolDns(parse<v1::PoolDns>(text), Place(&problems, {v1::KIND_POOL, "p"}, "x"));
    std::string found;
    for (const v1::Problem& problem : problems.list().problems()) {
      absl::StrAppend(&found, found.empty() ? "" : ", ", problem.field_path(), ": ",
                      problem.rule());
    }
    EXPECT_EQ(found, expected) << text;
  }
}

}  // namespace
}  // namespace convoy::controlplane::validate
