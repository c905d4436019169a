#include "controlplane/validate/health_check.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "controlplane/validate/scalars.h"

namespace convoy::controlplane::validate {

namespace {

constexpr int64_t kHourMs = 3600 * 1000;
constexpr int kMostStatuses = 64;
constexpr int kMostArguments = 64;
constexpr size_t kMostText = 1024;
constexpr size_t kMostArgumentBytes = 4096;
constexpr const char* kMethods[] = {"GET",    "HEAD",    "POST",  "PUT",
                                    "DELETE", "OPTIONS", "TRACE", "PATCH"};

void checkHttp(const v1::HealthCheck::Http& http, const Place& place) {
  if (!http.path().empty()) {
    // Its query is part of it here.
    const size_t query = std::min(http.path().find('?'), http.path().size());
    checkPath(http.path().substr(0, query), place.field("path"));
    checkHeaderValue(http.path(), place.field("path"));
    if (http.path().find(' ', query) != std::string::npos) {
      place.field("path").refuse("syntax", http.path(), "a query has no blanks; write %20");
    }
  }
  if (!http.host().empty()) checkHeaderValue(http.host(), place.field("host"));
  if (http.expected_statuses_size() > kMostStatuses) {
    place.field("expected_statuses")
        .refuse("too_many", absl::StrCat(http.expected_statuses_size()),
                absl::StrCat("there may be at most ", kMostStatuses));
  }
  for (int i = 0; i < http.expected_statuses_size(); ++i) {
    checkRange(http.expected_statuses(i), 100, 599, place.element("expected_statuses", i));
  }
  if (!http.method().empty() &&
      std::find(std::begin(kMethods), std::end(kMethods), http.method()) == std::end(kMethods)) {
    place.field("method").refuse(
        "enum", http.method(),
        "the methods are GET, HEAD, POST, PUT, DELETE, OPTIONS, TRACE and PATCH");
  }
  if (http.body_contains().size() > kMostText) {
    place.field("body_contains")
        .refuse("range", http.body_contains(), "the text has at most 1024 bytes");
  }
  if (http.method() == "HEAD" && (http.json() || !http.body_contains().empty())) {
    place.field("method").refuse("conflict", "HEAD",
                                 "the response to HEAD has no body to look at; write GET");
  }
}

void checkCommand(const v1::HealthCheck::Command& command, const Place& place) {
  const std::string& name = command.command();
  if (name.empty()) {
    place.field("command").refuse("required", "",
                                  "the name of a file in the nodes' --health-command-dir");
  } else if (name.size() > 255 || name.front() == '.' ||
             std::any_of(name.begin(), name.end(),
                         [](unsigned char c) { return c <= ' ' || c == '/' || c == 0x7f; })) {
    place.field("command").refuse(
        "syntax", name,
        "a command is the name of a file in the nodes' "
        "--health-command-dir, such as \"check-db\": no \"/\", no blanks");
  }
  if (command.arguments_size() > kMostArguments) {
    place.field("arguments")
        .refuse("too_many", absl::StrCat(command.arguments_size()),
                absl::StrCat("there may be at most ", kMostArguments));
  }
  for (int i = 0; i < command.arguments_size(); ++i) {
    const std::string& argument = command.arguments(i);
    if (argument.size() <= kMostArgumentBytes && argument.find('\0') == std::string::npos) continue;
    place.element("arguments", i)
        .refuse("syntax", argument, "an argument has at most 4096 bytes, none of them zero");
  }
}

}  // namespace

void checkHealthCheck(const v1::HealthCheck& check, const Place& place) {
  if (check.has_http()) checkHttp(check.http(), place.field("http"));
  if (check.has_grpc()) {
    checkHeaderValue(check.grpc().service(), place.field("grpc").field("service"));
  }
  if (check.has_command()) checkCommand(check.command(), place.field("command"));
  if (check.has_interval()) {
    checkDuration(check.interval(), 100, kHourMs, "100 ms to 1 h", place.field("interval"));
  }
  if (check.has_timeout()) {
    checkDuration(check.timeout(), 10, kHourMs, "10 ms to 1 h", place.field("timeout"));
  }
  if (check.has_unhealthy_threshold()) {
    checkRange(check.unhealthy_threshold(), 1, 100, place.field("unhealthy_threshold"));
  }
  if (check.has_healthy_threshold()) {
    checkRange(check.healthy_threshold(), 1, 100, place.field("healthy_threshold"));
  }
}

}  // namespace convoy::controlplane::validate
