#include "tools/reference/failures_page.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "proxy/base/strings.h"
#include "proxy/http/failure.h"

namespace convoy::tools::reference {

namespace {

constexpr std::string_view kIntroduction =
    "# Why a request failed\n\n"
    "<!-- Generated from proxy/http/failure.cc by `bazel run //tools/reference failures > "
    "docs/reference/failures.md`. -->\n\n"
    "Every request that did not get an upstream's whole answer has one of these reasons. The code "
    "is stable; it is in the\naccess log as `%RESPONSE_CODE_DETAILS%` (unless a filter gives more "
    "precise details) and in the counters\n`http.STAT_PREFIX.downstream_rq_failed_CODE`. The flag "
    "is Envoy's, in the access log as `%RESPONSE_FLAGS%`, where `URX` follows it if the\nrequest "
    "had been sent as often as its route allows. Each flag has a counter, "
    "`http.STAT_PREFIX.downstream_rq_response_flag.FLAG`;\nfor Prometheus "
    "`envoy_http_downstream_rq_response_flag{response_flag=\"FLAG\"}`.\n\n"
    "Without a status nothing can be sent any more: the connection or the stream is broken off so "
    "that the client can tell.\n\n"
    "When a time ran out, the log has where it was set in braces, and the reply ends with it: "
    "`upstream_response_timeout{envoy.yaml:31}`\n"
    "([operating](../operating.md#which-time-ran-out-and-who-set-it)).\n\n"
    "*Safe* says that no upstream can have acted on the request.\n\n"
    "| code | flag | status | whose doing | safe to send again | what the client reads |\n"
    "|---|---|---|---|---|---|\n";

std::string_view whose(http::Blame blame) {
  switch (blame) {
    case http::Blame::None:
      return "nobody's";
    case http::Blame::Downstream:
      return "the client's";
    case http::Blame::Upstream:
      return "the upstream's";
    case http::Blame::Local:
      return "this node's";
  }
  return "";
}

std::string inCode(std::string_view text) {
  return text.empty() ? "" : absl::StrCat("`", base::toAbsl(text), "`");
}

}  // namespace

std::string failuresPage() {
  std::string page(kIntroduction);
  for (int i = 1; i < static_cast<int>(http::Failure::kCount); ++i) {
    const http::FailureInfo& failure = http::info(static_cast<http::Failure>(i));
    absl::StrAppend(&page, "| ", inCode(failure.code), " | ", inCode(failure.flag), " | ",
                    failure.status == 0 ? "" : absl::StrCat(failure.status), " | ",
                    base::toAbsl(whose(failure.blame)), " | ", failure.retry_safe ? "yes" : "",
                    " | ", absl::StripSuffix(base::toAbsl(failure.text), "\n"), " |\n");
  }
  return page;
}

}  // namespace convoy::tools::reference
