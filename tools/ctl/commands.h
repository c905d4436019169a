#pragma once

// The commands of convoyctl. Each function adds its commands to the app; a command that was chosen
// stores what to do in `runner.action`.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "tools/ctl/session.h"

namespace convoy::tools::ctl {

struct Runner {
  Session& session;
  std::function<int()> action;
};

void addChangeCommands(CLI::App& app, Runner& runner);   // apply, validate, delete
void addReadCommands(CLI::App& app, Runner& runner);     // get, list, history, watch
void addFleetCommands(CLI::App& app, Runner& runner);    // status, node bootstrap
void addContextCommands(CLI::App& app, Runner& runner);  // context list, use, set, delete
void addCompletion(CLI::App& app, Runner& runner);       // completion bash, zsh

// "30s", "500ms", "5m", "1h" in milliseconds; -1 if it is none or above 1 h.
int64_t parseWait(const std::string& text);

// For CLI::Option::check(): a whole number from `least` to `most`; any text but none.
CLI::Validator wholeNumber(int64_t least, int64_t most = INT64_MAX);
CLI::Validator notEmpty();

// The whole program: returns the exit code.
int runConvoyctl(const std::vector<std::string>& arguments, Session& session);

}  // namespace convoy::tools::ctl
