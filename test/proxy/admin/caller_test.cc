#include "proxy/admin/caller.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace convoy::admin {
namespace {

const std::vector<std::string> kMachine = {"node-1", "node-1.Example.com"};

TEST(CallerTest, ProgramsOfThisMachinesUsersAreNotRefused) {
  for (const char* host : {"127.0.0.1:9901", "127.0.0.1", "10.1.2.3:9901", "[::1]:9901",
                           "[fd00::1]", "localhost:9901", "LOCALHOST", "localhost.:9901", "node-1",
                           "Node-1:9901", "node-1.example.com:9901", "NODE-1.example.com.", ""}) {
    EXPECT_EQ(problemWith({.host = host}, kMachine), "") << host;
  }
}

TEST(CallerTest, NamesThatSomebodyElseMayPointHereAre) {
  for (const char* host :
       {"evil.test:9901", "evil.test", "node-1.evil.test", "node-1.example.com.evil.test",
        "localhost.evil.test", "127.0.0.1.evil.test", "[evil", "x@127.0.0.1", "localhost:evil:80",
        "."}) {
    const std::string problem = problemWith({.host = host}, kMachine);
    EXPECT_EQ(problem.find(std::string("Host: ") + host + ": "), 0u) << problem;
  }
  EXPECT_NE(problemWith({.host = "node-1"}, {}), "");
  EXPECT_NE(problemWith({.host = ":9901"}, {}), "") << "no name is not ours";
}

TEST(CallerTest, AnOriginMustBeTheHostItself) {
  const struct {
    const char* host;
    const char* origin;
    bool same;
  } cases[] = {
      {"127.0.0.1:9901", "http://127.0.0.1:9901", true},
      {"localhost:9901", "http://LOCALHOST:9901", true},
      {"localhost", "https://localhost", true},
      {"127.0.0.1:9901", "http://127.0.0.1:8080", false},
      {"127.0.0.1:9901", "http://127.0.0.1", false},
      {"127.0.0.1:9901", "https://evil.test", false},
      {"127.0.0.1:9901", "null", false},
      {"127.0.0.1", "http://127.0.0.1, http://127.0.0.1", false},
      {"127.0.0.1:9901", "", false},
      {"", "http://evil.test", false},
  };
  for (const auto& one : cases) {
    const std::string problem = problemWith({.host = one.host, .origin = one.origin}, kMachine);
    EXPECT_EQ(problem.empty(), one.same) << one.host << " " << one.origin << ": " << problem;
  }
}

}  // namespace
}  // namespace convoy::admin
