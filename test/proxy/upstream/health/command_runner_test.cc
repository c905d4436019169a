#include "proxy/upstream/health/command_runner.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <optional>
#include <sstream>

#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::upstream {
namespace {

class CommandRunnerTest : public testing::Test {
 protected:
  CommandRunnerTest() {
    std::string name = testing::TempDir() + "commandsXXXXXX";
    folder_ = ::mkdtemp(name.data());
    runner_.emplace(loop_.loop(), folder_);
  }
  ~CommandRunnerTest() override {
    runs_.clear();
    runner_->shutdown();
    loop_.runReady();
  }

  void script(const std::string& name, const std::string& body, int mode = 0755) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    ::chmod(path.c_str(), static_cast<mode_t>(mode));
  }
  void start(const CommandRunner::Command& command) {
    result_.reset();
    const event::Loop::TurnScope turn(loop_.loop());
    runs_.push_back(runner_->start(command, [this](ProbeResult result) { result_ = result; }));
    EXPECT_FALSE(result_.has_value());
  }
  ProbeResult run(const CommandRunner::Command& command) {
    start(command);
    EXPECT_TRUE(loop_.runUntil([&] { return result_.has_value(); }));
    return result_.value_or(ProbeResult{});
  }
  std::string reason(const std::string& name) { return run({name, {}, {}}).reason; }
  std::string content(const std::string& name) {
    std::ifstream file(folder_ + "/" + name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  // What another process does is no event of the loop.
  template <typename Condition>
  bool poll(Condition condition) {
    const event::SystemClock real;
    const event::MonotonicTime end = real.monotonicNow() + test::kPatience;
    while (real.monotonicNow() < end) {
      loop_.runReady();
      if (condition()) return true;
    }
    return false;
  }
  bool untilWritten(const std::string& name) {
    return poll([&] { return content(name).ends_with("\n"); });
  }

  test::SimulatedClock clock_;
  test::TestLoop loop_{clock_};
  std::string folder_;
  std::optional<CommandRunner> runner_;
  std::optional<ProbeResult> result_;
  std::vector<std::unique_ptr<CommandRunner::Run>> runs_;
};

TEST_F(CommandRunnerTest, TheExitCodeIsTheResult) {
  script("good", "exit 0");
  script("bad", "exit 3");
  script("dead", "kill -TERM $$");
  EXPECT_EQ(run({"good", {}, {}}).kind, ProbeResult::Kind::Pass);
  EXPECT_EQ(run({"bad", {}, {}}).kind, ProbeResult::Kind::Fail);
  EXPECT_EQ(result_->reason, "the command ended with exit code 3");
  EXPECT_EQ(reason("dead"), "the command was ended by signal 15");
  EXPECT_EQ(runner_->running(), 0u);
}

TEST_F(CommandRunnerTest, GetsArgumentsAndNothingOfTheNodesEnvironment) {
  ::setenv("SECRET_OF_THE_NODE", "x", 1);
  script("show", "echo \"$1,$2,$CONVOY_HOST,$SECRET_OF_THE_NODE,$PWD\" >out");
  EXPECT_EQ(run({"show", {"a b", "$HOME"}, {"CONVOY_HOST=10.0.0.1"}}).kind,
            ProbeResult::Kind::Pass);
  EXPECT_EQ(content("out"), "a b,$HOME,10.0.0.1,," + folder_ + "\n");
}

TEST_F(CommandRunnerTest, WhatCannotBeRunSaysWhy) {
  script("plain", "exit 0", 0644);
  std::ofstream(folder_ + "/garbage") << "\x7f not a program";
  ::chmod((folder_ + "/garbage").c_str(), 0755);
  ::mkdir((folder_ + "/folder").c_str(), 0755);
  EXPECT_EQ(reason("missing"), "the command missing cannot be run: No such file or directory");
  EXPECT_EQ(reason("plain"), "the command plain is no executable file");
  EXPECT_EQ(reason("folder"), "the command folder is no executable file");
  EXPECT_EQ(reason("garbage"), "the command ended with exit code 127");  // the shell's word
  for (const char* name : {"", ".", "..", "../bin/sh", "/bin/sh", ".hidden"}) {
    EXPECT_EQ(reason(name),
              "\"" + std::string(name) + "\" is no name of a file in --health-command-dir");
  }
  CommandRunner none(loop_.loop(), "");
  std::optional<ProbeResult> result;
  const auto refused = none.start({"good", {}, {}}, [&](ProbeResult r) { result = r; });
  ASSERT_TRUE(loop_.runUntil([&] { return result.has_value(); }));
  EXPECT_EQ(result->reason, "this node allows no commands (--health-command-dir)");
}

// The whole group: a shell that waits for a child of its own.
TEST_F(CommandRunnerTest, WhoeverHangsIsKilledWithItsChildren) {
  script("hang", "sleep 1000 & echo $! >child; wait");
  start({"hang", {}, {}});
  ASSERT_TRUE(untilWritten("child"));
  const int child = std::stoi(content("child"));
  EXPECT_EQ(::kill(child, 0), 0);
  runs_.clear();
  ASSERT_TRUE(loop_.runUntil([&] { return runner_->running() == 0; }));
  // Killed: gone, or a zombie that whoever inherited it has not reaped.
  ASSERT_TRUE(poll([&] {
    std::ifstream status("/proc/" + std::to_string(child) + "/stat");
    std::string text;
    std::getline(status, text);
    return text.empty() || text.find(") Z ") != std::string::npos;
  }));
  EXPECT_FALSE(result_.has_value());
}

TEST_F(CommandRunnerTest, WhatACommandLeavesBehindIsKilled) {
  script("leave", "sleep 1000 >/dev/null 2>&1 & echo $! >child");
  EXPECT_EQ(run({"leave", {}, {}}).kind, ProbeResult::Kind::Pass);
  const int child = std::stoi(content("child"));
  ASSERT_TRUE(poll([&] {
    std::ifstream status("/proc/" + std::to_string(child) + "/stat");
    std::string text;
    std::getline(status, text);
    return text.empty() || text.find(") Z ") != std::string::npos;
  }));
}

TEST_F(CommandRunnerTest, NoMoreThanSoManyRunAtATime) {
  script("hang", "sleep 1000");
  for (size_t i = 0; i < CommandRunner::kMost; ++i) start({"hang", {}, {}});
  EXPECT_EQ(run({"hang", {}, {}}).kind, ProbeResult::Kind::Skipped);
  runs_.clear();
  ASSERT_TRUE(loop_.runUntil([&] { return runner_->running() == 0; }));
}

}  // namespace
}  // namespace convoy::upstream
