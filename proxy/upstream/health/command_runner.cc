#include "proxy/upstream/health/command_runner.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/assert.h"
#include "proxy/upstream/health/matching.h"

namespace convoy::upstream {

namespace {

constexpr char kPath[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> list;
  for (std::string& text : strings) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

ProbeResult resultOf(int64_t exit_code, int signal) {
  if (signal != 0) {
    return {ProbeResult::Kind::Fail, absl::StrCat("the command was ended by signal ", signal)};
  }
  if (exit_code == 0) return {ProbeResult::Kind::Pass, {}};
  return {ProbeResult::Kind::Fail, absl::StrCat("the command ended with exit code ", exit_code)};
}

}  // namespace

// Lives until libuv has closed it, which may be after its Run.
struct CommandRunner::Child {
  uv_process_t process{};
  Run* run = nullptr;  // null: nobody waits
  CommandRunner* runner = nullptr;

  void close() {
    uv_close(reinterpret_cast<uv_handle_t*>(&process),
             [](uv_handle_t* handle) { delete static_cast<Child*>(handle->data); });
  }

  static void onExit(uv_process_t* process, int64_t exit_code, int signal) {
    auto& child = *static_cast<Child*>(process->data);
    event::Loop::TurnScope turn(*static_cast<event::Loop*>(process->loop->data));
    // What the command has left behind.
    ::kill(-process->pid, SIGKILL);
    child.runner->children_.erase(&child);
    Run* const run = std::exchange(child.run, nullptr);
    child.close();
    if (run == nullptr) return;
    run->child_ = nullptr;
    run->done_(resultOf(exit_code, signal));
  }
};

CommandRunner::CommandRunner(event::Loop& loop, std::string directory)
    : loop_(loop), directory_(std::move(directory)) {}

CommandRunner::~CommandRunner() {
  CONVOY_ASSERT(children_.empty());
}

void CommandRunner::shutdown() {
  for (Child* const child : std::exchange(children_, {})) {
    if (child->run != nullptr) child->run->child_ = nullptr;
    ::kill(-child->process.pid, SIGKILL);
    child->close();
  }
}

// In words for people; empty: it can be run.
std::string CommandRunner::problemWith(const std::string& name) const {
  if (directory_.empty()) return "this node allows no commands (--health-command-dir)";
  if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos) {
    return absl::StrCat("\"", shown(name), "\" is no name of a file in --health-command-dir");
  }
  struct stat status {};
  const std::string path = absl::StrCat(directory_, "/", name);
  if (::stat(path.c_str(), &status) != 0) {
    char text[128];
    return absl::StrCat("the command ", shown(name),
                        " cannot be run: ", ::strerror_r(errno, text, sizeof(text)));
  }
  if (!S_ISREG(status.st_mode) || ::access(path.c_str(), X_OK) != 0) {
    return absl::StrCat("the command ", shown(name), " is no executable file");
  }
  return {};
}

std::unique_ptr<CommandRunner::Run> CommandRunner::start(const Command& command, Done done) {
  CONVOY_ASSERT(loop_.isOwnThread());
  std::unique_ptr<Run> run(new Run(loop_, std::move(done)));
  const auto refuse = [&](ProbeResult::Kind kind, std::string reason) {
    run->result_ = {kind, std::move(reason)};
    loop_.atEndOfTurn(run->end_);
    return std::move(run);
  };
  if (std::string problem = problemWith(command.name); !problem.empty()) {
    return refuse(ProbeResult::Kind::Fail, std::move(problem));
  }
  if (children_.size() >= kMost) {
    return refuse(ProbeResult::Kind::Skipped, absl::StrCat(kMost, " commands run already"));
  }
  std::vector<std::string> arguments{absl::StrCat(directory_, "/", command.name)};
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  std::vector<std::string> environment{kPath};
  environment.insert(environment.end(), command.environment.begin(), command.environment.end());
  std::vector<char*> argv = pointers(arguments);
  std::vector<char*> envp = pointers(environment);
  uv_stdio_container_t streams[3] = {};
  for (uv_stdio_container_t& stream : streams) stream.flags = UV_IGNORE;
  uv_process_options_t options{};
  options.exit_cb = Child::onExit;
  options.file = argv[0];
  options.args = argv.data();
  options.env = envp.data();
  options.cwd = directory_.c_str();
  options.flags = UV_PROCESS_DETACHED;  // a session, and with it a process group, of its own
  options.stdio_count = 3;
  options.stdio = streams;

  auto child = std::make_unique<Child>();
  child->process.data = child.get();
  child->runner = this;
  const int error = uv_spawn(loop_.uv(), &child->process, &options);
  if (error != 0) {
    child.release()->close();
    return refuse(ProbeResult::Kind::Fail, absl::StrCat("the command ", shown(command.name),
                                                        " cannot be run: ", uv_strerror(error)));
  }
  children_.insert(child.get());
  child->run = run.get();
  run->child_ = child.release();
  return run;
}

CommandRunner::Run::Run(event::Loop& loop, Done done)
    : loop_(loop), done_(std::move(done)), end_(&Run::onEnd, this) {}

CommandRunner::Run::~Run() {
  if (child_ == nullptr) return;
  child_->run = nullptr;
  // Not reaped yet, so the number is still its own.
  ::kill(-child_->process.pid, SIGKILL);
}

void CommandRunner::Run::onEnd(void* self) {
  auto& run = *static_cast<Run*>(self);
  run.done_(std::move(run.result_));
}

}  // namespace convoy::upstream
