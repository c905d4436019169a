// The program itself: its one line, its signals, its exit codes.

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "test/controlplane/common/temporary_folder.h"

namespace convoy::controlplane {
namespace {

constexpr char kProgram[] = "controlplane/convoy-control";

// A running convoy-control, with its stdout (and stderr, if asked for) on a pipe.
class Process {
 public:
  Process(std::vector<std::string> arguments, bool errors_too = false) {
    arguments.insert(arguments.begin(), kProgram);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    if (errors_too) posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    EXPECT_EQ(posix_spawn(&pid_, kProgram, &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    output_ = fdopen(ends[0], "r");
  }
  ~Process() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    fclose(output_);
  }

  std::string line() {
    char buffer[1024];
    return fgets(buffer, sizeof(buffer), output_) != nullptr ? buffer : "";
  }
  std::string rest() {
    std::string out;
    for (std::string next = line(); !next.empty(); next = line()) out += next;
    return out;
  }
  void signal(int number) const { kill(pid_, number); }
  // Its exit code, or minus the signal that ended it.
  int wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  pid_t pid_ = 0;
  FILE* output_ = nullptr;
};

class MainTest : public testing::Test {
 protected:
  std::vector<std::string> arguments() const {
    return {"--store",    folder_.file("convoy.db"), "--listen", "127.0.0.1:0", "--xds-listen",
            "127.0.0.1:0"};
  }
  TemporaryFolder folder_;
};

TEST_F(MainTest, SaysWhereItServesAndStopsOnSignals) {
  for (const int number : {SIGTERM, SIGINT}) {
    Process process(arguments());
    const std::string ready = process.line();
    EXPECT_EQ(ready.find("ready management=127.0.0.1:"), 0u) << ready;
    EXPECT_NE(ready.find(" xds=127.0.0.1:"), std::string::npos);
    EXPECT_NE(ready.find(" store=" + folder_.file("convoy.db") + " revision=0\n"),
              std::string::npos);
    process.signal(number);
    EXPECT_EQ(process.wait(), 0);
  }
}

TEST_F(MainTest, TwoProcessesDoNotShareAStore) {
  Process first(arguments());
  ASSERT_NE(first.line(), "");
  Process second(arguments(), true);
  EXPECT_NE(second.rest().find("in use by another process"), std::string::npos);
  EXPECT_EQ(second.wait(), 1);
}

TEST_F(MainTest, MistakesExitWithTwo) {
  Process process({"--nonsense"}, true);
  EXPECT_NE(process.rest().find("--help"), std::string::npos);
  EXPECT_EQ(process.wait(), 2);
}

TEST_F(MainTest, BadAddressesAreMistakesAndMakeNoFile) {
  for (const char* bad : {"0.0.0.0:0", "unix:@x", "nonsense"}) {
    Process process({"--store", folder_.file("bad.db"), "--listen", bad}, true);
    EXPECT_NE(process.rest().find(std::string("--listen ") + bad), std::string::npos);
    EXPECT_EQ(process.wait(), 2);
    EXPECT_TRUE(std::filesystem::is_empty(folder_.file("")));
  }
}

TEST_F(MainTest, HelpIsOnStdout) {
  Process process({"--help"});
  EXPECT_NE(process.rest().find("--xds-listen"), std::string::npos);
  EXPECT_EQ(process.wait(), 0);
}

}  // namespace
}  // namespace convoy::controlplane
