// convoy-control: reads the flags, serves until a signal, stops.
// Exit codes: 0 done, 1 cannot start, 2 mistake in the flags.

#include <grpc/support/log.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "controlplane/base/event_log.h"
#include "controlplane/command_line.h"
#include "controlplane/server.h"
#include "controlplane/validate/node_check.h"
#include "proxy/base/descriptor_limit.h"
#include "proxy/base/log.h"
#include "proxy/event/clock.h"

namespace {

using convoy::controlplane::CommandLine;
using convoy::controlplane::Server;

constexpr int kCannotStart = 1;
constexpr int kBadFlags = 2;

// gRPC's own diagnostics are for who debugs it: what went wrong is said by the calls that failed.
void logOfGrpc(gpr_log_func_args* line) {
  convoy::base::log(convoy::base::LogLevel::Debug, absl::StrCat("grpc: ", line->message));
}

// Blocks the signals for all threads to come, so that only wait() sees them.
class StopSignals {
 public:
  StopSignals() {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);  // writing past `ulimit -f` is an error like a full disk
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  int wait() const {
    int signal = 0;
    sigwait(&set_, &signal);
    return signal;
  }

 private:
  sigset_t set_;
};

int run(const CommandLine& command_line) {
  const StopSignals signals;
  const convoy::event::SystemClock clock;
  absl::StatusOr<std::unique_ptr<Server>> server =
      Server::start(command_line.server, &clock, convoy::controlplane::validate::nodeCheck());
  if (!server.ok()) {
    std::fprintf(stderr, "convoy-control: %s\n", std::string(server.status().message()).c_str());
    return absl::IsInvalidArgument(server.status()) ? kBadFlags : kCannotStart;
  }
  const std::string ready = absl::StrCat(
      "ready management=", (*server)->management().text(), " xds=", (*server)->xds().text(),
      " store=", command_line.server.store, " revision=", (*server)->head());
  std::printf("%s\n", ready.c_str());
  std::fflush(stdout);
  const std::string signal = absl::StrCat(signals.wait());
  convoy::controlplane::logEvent("stopping", {{"signal", signal}});
  server->reset();
  convoy::controlplane::logEvent("stopped", {});
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine command_line;
  const std::optional<convoy::controlplane::Answer> answer =
      convoy::controlplane::parseCommandLine(argc, argv, &command_line);
  if (answer.has_value()) {
    std::fputs(answer->text.c_str(), answer->exit_code == 0 ? stdout : stderr);
    return answer->exit_code;
  }
  // The store and unix sockets are for this user only.
  umask(0077);
  convoy::base::LogLevel level = convoy::base::LogLevel::Info;
  convoy::base::parseLogLevel(command_line.log_level, &level);
  convoy::base::setLogLevel(level);
  convoy::base::setLogTimeSource(convoy::event::wallMicroseconds);
  gpr_set_log_function(logOfGrpc);
  command_line.server.descriptor_limit = convoy::base::raiseDescriptorLimit();
  return run(command_line);
}
