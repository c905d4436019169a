#include "proxy/server/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace convoy::server {
namespace {

absl::StatusOr<Options> parse(std::vector<std::string> arguments) {
  std::vector<char*> argv = {const_cast<char*>("convoy-proxy")};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  return parseOptions(static_cast<int>(argv.size()) - 1, argv.data());
}

TEST(OptionsTest, UnderstandsEnvoysNames) {
  const auto options =
      parse({"-c", "a.yaml", "--concurrency", "3", "--service-node", "n1", "--service-cluster",
             "edge", "-l", "warning", "--drain-time-s", "7", "--reject-unknown-dynamic-fields",
             "--health-threads", "2", "--health-command-dir", "/etc"});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->config_path, "a.yaml");
  EXPECT_EQ(options->concurrency, 3u);
  EXPECT_EQ(options->service_node, "n1");
  EXPECT_EQ(options->service_cluster, "edge");
  EXPECT_EQ(options->log_level, base::LogLevel::Warning);
  EXPECT_EQ(options->drain_time, std::chrono::seconds(7));
  EXPECT_TRUE(options->reject_unknown_dynamic_fields);
  EXPECT_EQ(options->health_threads, 2u);
  EXPECT_EQ(options->health_command_dir, "/etc");
  EXPECT_EQ(options->mode, Options::Mode::Serve);
}

TEST(OptionsTest, HasModes) {
  EXPECT_EQ(parse({"-c", "a", "--mode", "validate"})->mode, Options::Mode::Validate);
  EXPECT_EQ(parse({"-c", "a", "--mode", "serve"})->mode, Options::Mode::Serve);
  EXPECT_EQ(parse({"--help"})->mode, Options::Mode::Help);
  EXPECT_EQ(parse({"--version"})->mode, Options::Mode::Version);
}

TEST(OptionsTest, SaysWhatIsWrong) {
  const std::pair<std::vector<std::string>, std::string> cases[] = {
      {{}, "no configuration file: -c FILE is required"},
      {{"-c"}, "option -c needs a value"},
      {{"-c", "a", "--nonsense"}, "unknown option --nonsense"},
      {{"-c", "a", "--concurrency", "0"}, "--concurrency 0: must be a number from 1 to 1024"},
      {{"-c", "a", "--concurrency", "two"}, "--concurrency two: must be a number from 1 to 1024"},
      {{"-c", "a", "-l", "loud"},
       "--log-level loud: must be trace, debug, info, warning, error, critical or off"},
      {{"-c", "a", "--mode", "init_only"}, "--mode init_only: must be serve or validate"},
      {{"-c", "a", "--drain-time-s", "-1"}, "--drain-time-s -1: must be seconds from 0 to 86400"},
      {{"-c", "a", "--health-threads", "65"}, "--health-threads 65: must be a number from 1 to 64"},
      {{"-c", "a", "--health-command-dir", "checks"},
       "--health-command-dir checks: must be an absolute path"},
      {{"-c", "a", "--health-command-dir", "/nonexistent"},
       "--health-command-dir /nonexistent: there is no such folder"},
      {{"-c", "a", "--health-command-dir", "/etc/passwd"},
       "--health-command-dir /etc/passwd: there is no such folder"},
      {{"-c", "a", "-c", "b"}, "-c b: there is -c a already, and a node has one bootstrap"},
      {{"-c", ""}, "-c: must name a file"},
      {{"-c", "a", "--service-node", ""}, "--service-node: must not be empty"},
      {{"-c", "a", "--service-cluster="}, "--service-cluster: must not be empty"},
      {{"-c", "a", "b"}, "unexpected argument b"},
  };
  for (const auto& [arguments, error] : cases) {
    EXPECT_EQ(parse(arguments).status().message(), error + "; --help lists the options");
  }
}

TEST(OptionsTest, HelpNamesEveryOption) {
  const std::string help = helpText();
  for (const char* option :
       {"--config-path", "--mode", "--concurrency", "--service-node", "--service-cluster",
        "--log-level", "--drain-time-s", "--reject-unknown-dynamic-fields", "--health-threads",
        "--health-command-dir", "--version", "--help"}) {
    EXPECT_NE(help.find(option), std::string::npos) << option;
  }
}

}  // namespace
}  // namespace convoy::server
