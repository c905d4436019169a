#include "controlplane/validate/request_policy.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::validate {
namespace {

std::string problemsOf(const v1::Listener& listener) {
  Problems problems;
  checkRequestPolicy(listener, Place(&problems, {v1::KIND_LISTENER, "l"}, "x"));
  std::string out;
  for (const v1::Problem& problem : problems.list().problems()) {
    absl::StrAppend(&out, out.empty() ? "" : ", ", problem.field_path(), ": ", problem.rule());
  }
  return out;
}

TEST(RequestPolicyTest, Fields) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {R"(paths { normalize: false merge_slashes: false escaped_slashes: ESCAPED_SLASHES_KEEP }
          headers_with_underscores: UNDERSCORES_DROP accept_http10: true
          default_host_for_http10: "a.test:8080" trusted_proxies: "10.0.0.0/8"
          trusted_proxies: "2001:db8::/32" trusted_proxies: "192.0.2.7" forwarded: FORWARDED_APPEND
          server_header: SERVER_HEADER_PASS_THROUGH via: "1.1 edge" strip_port: STRIP_PORT_ANY
          request_timeout { seconds: 60 } max_connection_duration { seconds: 60 }
          max_stream_duration { seconds: 60 })",
       ""},
      {R"(trusted_proxies: "10.0.0.0/33" trusted_proxies: "a" trusted_proxies: "10.0.0.0/"
          trusted_proxies: "::1/129")",
       "x.trusted_proxies[0]: address, x.trusted_proxies[1]: address, "
       "x.trusted_proxies[2]: address, x.trusted_proxies[3]: address"},
      {R"(via: "a\nb")", "x.via: syntax"},
      {R"(default_host_for_http10: "a b")", "x.default_host_for_http10: syntax"},
      {R"(accept_http10: false default_host_for_http10: "a.test")",
       "x.default_host_for_http10: conflict"},
      {R"(request_timeout {} max_connection_duration { nanos: 999000000 }
          max_stream_duration { seconds: 86401 })",
       "x.request_timeout: range, x.max_connection_duration: range, x.max_stream_duration: range"},
  };
  for (const auto& [listener, problems] : cases) {
    EXPECT_EQ(problemsOf(parse<v1::Listener>(listener)), problems) << listener;
  }
}

TEST(RequestPolicyTest, UnknownChoicesAndTooManyProxies) {
  v1::Listener listener;
  listener.set_headers_with_underscores(static_cast<v1::Listener::Underscores>(9));
  listener.set_forwarded(static_cast<v1::Listener::Forwarded>(9));
  listener.set_server_header(static_cast<v1::Listener::ServerHeader>(9));
  listener.set_strip_port(static_cast<v1::Listener::StripPort>(9));
  listener.mutable_paths()->set_escaped_slashes(static_cast<v1::PathPolicy::EscapedSlashes>(9));
  for (int i = 0; i < 257; ++i) listener.add_trusted_proxies("10.0.0.1");
  EXPECT_EQ(problemsOf(listener),
            "x.headers_with_underscores: enum, x.forwarded: enum, x.server_header: enum, "
            "x.strip_port: enum, x.paths.escaped_slashes: enum, x.trusted_proxies: too_many");
}

}  // namespace
}  // namespace convoy::controlplane::validate
