#pragma once

// The flags of convoy-control.

#include <optional>
#include <string>

#include "controlplane/server.h"

namespace convoy::controlplane {

struct CommandLine {
  ServerOptions server;
  std::string log_level = "info";
};

// What to print and exit with in place of serving: after --help, --version or a mistake.
struct Answer {
  int exit_code = 0;
  std::string text;  // to stdout if exit_code is 0, else to stderr
};

// Either fills `command_line` or returns an answer.
std::optional<Answer> parseCommandLine(int argc, const char* const* argv,
                                       CommandLine* command_line);

}  // namespace convoy::controlplane
