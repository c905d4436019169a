#include "controlplane/command_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace convoy::controlplane {
namespace {

std::optional<Answer> parse(std::vector<const char*> arguments, CommandLine* out) {
  arguments.insert(arguments.begin(), "convoy-control");
  return parseCommandLine(static_cast<int>(arguments.size()), arguments.data(), out);
}

TEST(CommandLineTest, Defaults) {
  CommandLine line;
  EXPECT_FALSE(parse({"--store", "/x.db"}, &line).has_value());
  EXPECT_EQ(line.server.store, "/x.db");
  EXPECT_EQ(line.server.management, "127.0.0.1:18001");
  EXPECT_EQ(line.server.xds, "127.0.0.1:18000");
  EXPECT_FALSE(line.server.insecure);
  EXPECT_FALSE(line.server.new_store);
  EXPECT_EQ(line.server.max_connections, 10'000);
  EXPECT_EQ(line.log_level, "info");
}

TEST(CommandLineTest, EveryFlag) {
  CommandLine line;
  EXPECT_FALSE(parse({"--store=/x.db",
                      "--listen",
                      "unix:/m",
                      "--xds-listen=[::]:1",
                      "--insecure",
                      "-l",
                      "debug",
                      "--secrets-key",
                      "/k",
                      "--tls-cert",
                      "/c",
                      "--tls-key",
                      "/p",
                      "--tls-client-ca",
                      "/a",
                      "--xds-tls-client-ca",
                      "/n",
                      "--new-store",
                      "--max-connections",
                      "50"},
                     &line)
                   .has_value());
  EXPECT_EQ(line.server.management, "unix:/m");
  EXPECT_EQ(line.server.xds, "[::]:1");
  EXPECT_TRUE(line.server.insecure);
  EXPECT_EQ(line.log_level, "debug");
  EXPECT_EQ(line.server.secrets_key, "/k");
  EXPECT_EQ(line.server.tls.certificate, "/c");
  EXPECT_EQ(line.server.tls.key, "/p");
  EXPECT_EQ(line.server.tls.client_ca, "/a");
  EXPECT_EQ(line.server.tls.nodesCa(), "/n");
  EXPECT_TRUE(line.server.new_store);
  EXPECT_EQ(line.server.max_connections, 50);
}

TEST(CommandLineTest, HelpAndVersionGoToStdout) {
  CommandLine line;
  const auto help = parse({"--help"}, &line);
  ASSERT_TRUE(help.has_value());
  EXPECT_EQ(help->exit_code, 0);
  for (const char* flag : {"--store", "--secrets-key", "--listen", "--xds-listen", "--insecure",
                           "--log-level", "--version"}) {
    EXPECT_NE(help->text.find(flag), std::string::npos) << flag;
  }
  const auto version = parse({"--version"}, &line);
  ASSERT_TRUE(version.has_value());
  EXPECT_EQ(version->exit_code, 0);
  EXPECT_EQ(version->text.find("convoy-control "), 0u);
}

TEST(CommandLineTest, MistakesAreNamed) {
  struct Case {
    std::vector<const char*> arguments;
    std::string words;
  };
  const Case cases[] = {
      {{}, "--store is required"},
      {{"--store"}, "--store"},
      {{"--store", "x", "--lisen", "y"}, "--lisen"},
      {{"--stroe", "x"}, "--stroe"},
      {{"--store", "x", "-l", "loud"}, "loud is no log level"},
      {{"--store", "x", "--max-connections", "0"}, "--max-connections"},
  };
  for (const Case& c : cases) {
    CommandLine line;
    const auto answer = parse(c.arguments, &line);
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->exit_code, 2);
    EXPECT_NE(answer->text.find(c.words), std::string::npos) << answer->text;
    EXPECT_NE(answer->text.find("--help"), std::string::npos);
  }
}

}  // namespace
}  // namespace convoy::controlplane
