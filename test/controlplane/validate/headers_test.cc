#include "controlplane/validate/headers.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "api/convoy/v1/config.pb.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::validate {
namespace {

// "path: rule" of every problem.
std::string problemsOf(const v1::Headers& headers) {
  Problems problems;
  checkHeaders(headers, Place(&problems, {v1::KIND_POOL, "p"}, "headers"));
  std::string out;
  for (const v1::Problem& problem : problems.list().problems()) {
    absl::StrAppend(&out, out.empty() ? "" : ", ", problem.field_path(), ": ", problem.rule());
  }
  return out;
}

TEST(HeadersTest, Rules) {
  struct Case {
    std::string headers;
    std::string problems;
  };
  const Case cases[] = {
      {"", ""},
      {R"(request { set { key: "a" value: "%REQ(b)%" } remove: "c" } response { remove: "a" })",
       ""},
      {R"(request { set { key: "Content-Length" value: "1" } })",
       "headers.request.set.Content-Length: not_editable"},
      {R"(request { remove: ":path" remove: "HOST" })",
       "headers.request.remove[0]: not_editable, headers.request.remove[1]: not_editable"},
      {R"(response { add { key: "transfer-encoding" value: "1" } })",
       "headers.response.add.transfer-encoding: not_editable"},
      {R"(response { add { key: "a b" value: "1" } })", "headers.response.add.a b: syntax"},
      {R"(response { append { key: "a" value: "1\n" } })", "headers.response.append.a: syntax"},
      {R"(response { append { key: "a" value: "" } })", "headers.response.append.a: required"},
      {R"(request { remove: "a" set { key: "A" value: "1" } })",
       "headers.request.set.A: duplicate"},
  };
  for (const Case& c : cases) EXPECT_EQ(problemsOf(parse<v1::Headers>(c.headers)), c.problems);
}

TEST(HeadersTest, AtMost64Edits) {
  v1::Headers headers;
  for (int i = 0; i < 65; ++i) headers.mutable_request()->add_remove(absl::StrCat("x-", i));
  EXPECT_EQ(problemsOf(headers), "headers.request: too_many");
}

}  // namespace
}  // namespace convoy::controlplane::validate
