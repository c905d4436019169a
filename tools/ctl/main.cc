// convoyctl: the operator's hand.

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "tools/ctl/commands.h"

int main(int argc, char** argv) {
  // The libraries' own diagnostics say nothing that the failed call does not.
  gpr_set_log_function([](gpr_log_func_args*) {});
  google::protobuf::SetLogHandler(nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  convoy::tools::ctl::Session session{
      .in = std::cin,
      .out = std::cout,
      .err = std::cerr,
      .env = [](const std::string& name) -> std::string {
        const char* value = std::getenv(name.c_str());
        return value == nullptr ? "" : value;
      },
      .server = {},
      .context = {},
      .contexts_file = {},
  };
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const int code = convoy::tools::ctl::runConvoyctl(arguments, session);
  std::cout.flush();
  if (!std::cout.good() && code == 0) {
    std::cerr << "convoyctl: stdout cannot be written\n";
    return convoy::tools::ctl::kFailure;
  }
  return code;
}
