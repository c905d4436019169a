#pragma once

// Runs check commands: programs of one directory that whoever started the node has named; without a
// directory none runs. Each in a process group of its own, without the node's environment, standard
// input or output, at most kMost at a time; what is still running when its Run goes away is killed
// as a group. Owner: one checker; thread: its loop's.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "proxy/event/loop.h"
#include "proxy/upstream/health/check_state.h"

namespace convoy::upstream {

class CommandRunner {
 public:
  static constexpr size_t kMost = 32;

  struct Command {
    std::string name;  // without "/"
    std::vector<std::string> arguments;
    std::vector<std::string> environment;  // "NAME=value", in addition to PATH
  };
  class Run;
  using Done = std::function<void(ProbeResult)>;

  CommandRunner(event::Loop& loop, std::string directory);
  ~CommandRunner();
  CommandRunner(const CommandRunner&) = delete;
  CommandRunner& operator=(const CommandRunner&) = delete;

  // Once, never from inside this call, `done` gets a result, unless the Run is destroyed before.
  std::unique_ptr<Run> start(const Command& command, Done done);
  size_t running() const { return children_.size(); }
  // Kills what runs, and waits for none of it; nothing can be started afterwards. Before the loop
  // ends.
  void shutdown();

 private:
  struct Child;
  std::string problemWith(const std::string& name) const;

  event::Loop& loop_;
  const std::string directory_;
  std::set<Child*> children_;
};

class CommandRunner::Run {
 public:
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

 private:
  friend class CommandRunner;
  explicit Run(event::Loop& loop, Done done);
  static void onEnd(void* self);

  event::Loop& loop_;
  Done done_;
  ProbeResult result_;
  event::EndOfTurnTask end_;  // of what could not be started
  Child* child_ = nullptr;
};

}  // namespace convoy::upstream
