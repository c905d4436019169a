#include "controlplane/validate/health_check.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::validate {
namespace {

std::string problemsOf(const v1::HealthCheck& check) {
  Problems problems;
  checkHealthCheck(check, Place(&problems, {v1::KIND_POOL, "p"}, "x"));
  std::string out;
  for (const v1::Problem& problem : problems.list().problems()) {
    absl::StrAppend(&out, out.empty() ? "" : ", ", problem.field_path(), ": ", problem.rule());
  }
  return out;
}

TEST(HealthCheckTest, Fields) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"http {}", ""},
      {R"(http { path: "/ready?deep=1" host: "a.test" method: "POST" expected_statuses: 200
            expected_statuses: 404 body_contains: "DB_OK" json: true }
          interval { nanos: 100000000 } timeout { nanos: 10000000 } unhealthy_threshold: 100
          healthy_threshold: 1)",
       ""},
      {"tcp {}", ""},
      {R"(grpc { service: "shop.Cart" })", ""},
      {R"(command { command: "check-db" arguments: "a b" })", ""},
      {R"(http { path: "health" })", "x.http.path: syntax"},
      {R"(http { path: "/a b" })", "x.http.path: syntax"},
      {R"(http { path: "/a?b c" })", "x.http.path: syntax"},
      {R"(http { host: "a\nb" })", "x.http.host: syntax"},
      {R"(http { method: "CONNECT" })", "x.http.method: enum"},
      {R"(http { method: "HEAD" json: true })", "x.http.method: conflict"},
      {"http { expected_statuses: 99 expected_statuses: 600 }",
       "x.http.expected_statuses[0]: range, x.http.expected_statuses[1]: range"},
      {R"(grpc { service: "a\nb" })", "x.grpc.service: syntax"},
      {"command {}", "x.command.command: required"},
      {R"(command { command: "../sh" })", "x.command.command: syntax"},
      {R"(command { command: "/bin/sh" })", "x.command.command: syntax"},
      {R"(command { command: "a" arguments: "a\000b" })", "x.command.arguments[0]: syntax"},
      {"interval { nanos: 99000000 }", "x.interval: range"},
      {"interval { seconds: 3601 } timeout { seconds: 3601 }",
       "x.interval: range, x.timeout: range"},
      {"timeout { nanos: 9000000 }", "x.timeout: range"},
      {"unhealthy_threshold: 0 healthy_threshold: 0",
       "x.unhealthy_threshold: range, x.healthy_threshold: range"},
      {"unhealthy_threshold: 101 healthy_threshold: 101",
       "x.unhealthy_threshold: range, x.healthy_threshold: range"},
  };
  for (const auto& [check, problems] : cases) {
    EXPECT_EQ(problemsOf(parse<v1::HealthCheck>(check)), problems) << check;
  }
}

TEST(HealthCheckTest, WhatThereIsAtMost) {
  v1::HealthCheck check;
  check.mutable_http()->set_body_contains(std::string(1025, 'x'));
  for (int i = 0; i < 65; ++i) check.mutable_http()->add_expected_statuses(200);
  EXPECT_EQ(problemsOf(check), "x.http.expected_statuses: too_many, x.http.body_contains: range");
  check.mutable_command()->set_command(std::string(256, 'x'));
  for (int i = 0; i < 65; ++i) check.mutable_command()->add_arguments("a");
  check.mutable_command()->set_arguments(0, std::string(4097, 'x'));
  EXPECT_EQ(problemsOf(check),
            "x.command.command: syntax, x.command.arguments: too_many, "
            "x.command.arguments[0]: syntax");
}

}  // namespace
}  // namespace convoy::controlplane::validate
