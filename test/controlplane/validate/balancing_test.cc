#include "controlplane/validate/balancing.h"

#include <gtest/gtest.h>

#include <string>

#include "test/controlplane/common/config_text.h"
#include "test/controlplane/validate/problem_text.h"

namespace convoy::controlplane::validate {
namespace {

struct Case {
  std::string fields;
  std::string problems;
};

TEST(BalancingTest, Pools) {
  const Case cases[] = {
      {"", ""},
      {"algorithm: ALGORITHM_WEIGHTED_ROUND_ROBIN", ""},
      {"algorithm: ALGORITHM_LEAST_CONNECTIONS", ""},
      {"algorithm: ALGORITHM_LEAST_RESPONSE_TIME", ""},
      {"algorithm: ALGORITHM_PEAK_EWMA", ""},
      {"algorithm: ALGORITHM_POWER_OF_TWO", ""},
      {"algorithm: ALGORITHM_ADAPTIVE", ""},
      {"algorithm: ALGORITHM_IP_HASH", ""},
      {"algorithm: 13", "x.algorithm: enum 13"},
      {"algorithm: ALGORITHM_MAGLEV hash_key { source_ip: true }", ""},
      {"algorithm: ALGORITHM_MAGLEV hash_key { header: \"X-User\" }", ""},
      {"algorithm: ALGORITHM_MAGLEV hash_key { cookie: \"id\" cookie_ttl { seconds: 60 } }", ""},
      {"algorithm: ALGORITHM_MAGLEV hash_key { cookie: \"id\" cookie_ttl {} }", ""},
      {"algorithm: ALGORITHM_CONSISTENT_HASH hash_key { query: \"user\" } max_load_percent: 100",
       ""},
      {"algorithm: ALGORITHM_CONSISTENT_HASH hash_key { path: true } max_load_percent: 10000", ""},
      {"algorithm: ALGORITHM_MAGLEV hash_key {}", "x.hash_key: required"},
      {"algorithm: ALGORITHM_MAGLEV hash_key { header: \"\" }", "x.hash_key.header: required"},
      {"algorithm: ALGORITHM_MAGLEV hash_key { header: \":path\" }",
       "x.hash_key.header: syntax :path"},
      {"algorithm: ALGORITHM_MAGLEV hash_key { cookie: \"a;b\" }", "x.hash_key.cookie: syntax a;b"},
      {"algorithm: ALGORITHM_MAGLEV hash_key { query: \"\" }", "x.hash_key.query: required"},
      {"algorithm: ALGORITHM_MAGLEV hash_key { source_ip: false }",
       "x.hash_key.source_ip: value false"},
      {"algorithm: ALGORITHM_MAGLEV hash_key { path: false }", "x.hash_key.path: value false"},
      {"algorithm: ALGORITHM_MAGLEV hash_key { path: true cookie_ttl {} }",
       "x.hash_key.cookie_ttl: conflict"},
      {"algorithm: ALGORITHM_MAGLEV hash_key { cookie: \"a\" cookie_ttl { seconds: 31536001 } }",
       "x.hash_key.cookie_ttl: range 31536001.000000000s"},
      {"algorithm: ALGORITHM_MAGLEV max_load_percent: 99", "x.max_load_percent: range 99"},
      {"algorithm: ALGORITHM_MAGLEV max_load_percent: 10001", "x.max_load_percent: range 10001"},
      {"algorithm: ALGORITHM_IP_HASH hash_key { path: true } max_load_percent: 150",
       "x.hash_key: conflict ip_hash, x.max_load_percent: conflict ip_hash"},
      {"hash_key { path: true }", "x.hash_key: conflict unspecified"},
      {"algorithm: ALGORITHM_CONSISTENT_HASH points_per_weight: 1", ""},
      {"algorithm: ALGORITHM_CONSISTENT_HASH points_per_weight: 1000", ""},
      {"algorithm: ALGORITHM_CONSISTENT_HASH points_per_weight: 1001",
       "x.points_per_weight: range 1001"},
      {"algorithm: ALGORITHM_MAGLEV points_per_weight: 150",
       "x.points_per_weight: conflict maglev"},
  };
  for (const Case& c : cases) {
    Problems problems;
    checkBalancing(parse<v1::Pool>(c.fields), Place(&problems, {v1::KIND_POOL, "p"}, "x"));
    EXPECT_EQ(textWithValues(problems), c.problems) << c.fields;
  }
}

TEST(BalancingTest, AnUnknownAlgorithmIsToldTheKnownOnes) {
  Problems problems;
  checkBalancing(parse<v1::Pool>("algorithm: 99"), Place(&problems, {v1::KIND_POOL, "p"}, "x"));
  EXPECT_EQ(problems.list().problems(0).reason(),
            "there is no such algorithm; there are round_robin, weighted_least_connections, "
            "random, least_response_time, ip_hash, consistent_hash, maglev, weighted_round_robin, "
            "least_connections, peak_ewma, power_of_two, adaptive");
}

TEST(BalancingTest, Routes) {
  const Case cases[] = {
      {"pool: \"p\"", ""},
      {"pool: \"p\" hash_key { path: true }", ""},
      {"pool: \"p\" hash_key {}", "x.hash_key: required"},
      {"direct_response { status: 200 } hash_key { path: true }", "x.hash_key: conflict"},
  };
  for (const Case& c : cases) {
    Problems problems;
    checkRouteHashKey(parse<v1::Route>(c.fields), Place(&problems, {v1::KIND_LISTENER, "l"}, "x"));
    EXPECT_EQ(textWithValues(problems), c.problems) << c.fields;
  }
}

}  // namespace
}  // namespace convoy::controlplane::validate
