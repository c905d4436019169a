#include "proxy/config/header_edits.h"

#include "envoy/config/route/v3/route.pb.h"
#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using Action = route::HeaderEdit::Action;
using envoy::config::route::v3::RouteConfiguration;

TEST(HeaderEdits, Actions) {
  struct Case {
    std::string option;
    Action action;
  };
  const Case cases[] = {
      {"", Action::AppendIfExistsOrAdd},
      {"append_action: APPEND_IF_EXISTS_OR_ADD", Action::AppendIfExistsOrAdd},
      {"append_action: ADD_IF_ABSENT", Action::AddIfAbsent},
      {"append_action: OVERWRITE_IF_EXISTS_OR_ADD", Action::OverwriteIfExistsOrAdd},
      {"append_action: OVERWRITE_IF_EXISTS", Action::OverwriteIfExists},
      {"append: true", Action::AppendIfExistsOrAdd},
      {"append: false", Action::OverwriteIfExistsOrAdd},
  };
  for (const Case& c : cases) {
    const auto proto = fromYaml<RouteConfiguration>(
        "request_headers_to_add: [{header: {key: X-A, value: b}, " + c.option + "}]");
    base::FieldReport report;
    const route::HeaderEdits edits = toAllHeaderEdits(proto, report);
    EXPECT_TRUE(report.ok());
    ASSERT_EQ(edits.request.size(), 1u) << c.option;
    EXPECT_EQ(edits.request[0].name, "x-a");
    EXPECT_EQ(edits.request[0].value, "b");
    EXPECT_EQ(edits.request[0].action, c.action) << c.option;
  }
}

TEST(HeaderEdits, AllFourLists) {
  const auto proto = fromYaml<RouteConfiguration>(R"(
request_headers_to_add: [{header: {key: a, value: "50%%"}}]
request_headers_to_remove: [X-B]
response_headers_to_add: [{header: {key: c, raw_value: ZA==}}]
response_headers_to_remove: [e, F]
)");
  base::FieldReport report;
  const route::HeaderEdits edits = toAllHeaderEdits(proto, report);
  EXPECT_TRUE(report.ok());
  EXPECT_EQ(edits.request.at(0).value, "50%");
  EXPECT_EQ(edits.request_remove, Lines({"x-b"}));
  EXPECT_EQ(edits.response.at(0).value, "d");
  EXPECT_EQ(edits.response_remove, Lines({"e", "f"}));
  EXPECT_FALSE(edits.empty());
}

TEST(HeaderEdits, AnEmptyValueAddsNothingUnlessKept) {
  const auto proto = fromYaml<RouteConfiguration>(R"(
request_headers_to_add:
- header: {key: a}
- header: {key: b}
  keep_empty_value: true
)");
  base::FieldReport report;
  const route::HeaderEdits edits = toAllHeaderEdits(proto, report);
  ASSERT_EQ(edits.request.size(), 1u);
  EXPECT_EQ(edits.request[0].name, "b");
}

TEST(HeaderEdits, ALiteralValueIsTrimmed) {
  const auto proto = fromYaml<RouteConfiguration>(R"(
request_headers_to_add:
- header: {key: a, value: " b c\t"}
- header: {key: d, raw_value: ICUlIA==}
)");
  base::FieldReport report;
  const route::HeaderEdits edits = toAllHeaderEdits(proto, report);
  EXPECT_TRUE(report.ok());
  ASSERT_EQ(edits.request.size(), 2u);
  EXPECT_EQ(edits.request[0].value, "b c");
  EXPECT_EQ(edits.request[1].value, "%");
}

// Not the same as no value: what it overwrites must not get through.
TEST(HeaderEdits, AValueOfBlanksIsAnEmptyFieldEvenIfNotKept) {
  const auto proto = fromYaml<RouteConfiguration>(R"(
request_headers_to_add:
- header: {key: a, value: "  "}
  append_action: OVERWRITE_IF_EXISTS_OR_ADD
)");
  base::FieldReport report;
  const route::HeaderEdits edits = toAllHeaderEdits(proto, report);
  ASSERT_EQ(edits.request.size(), 1u);
  EXPECT_EQ(edits.request[0].value, "");
}

TEST(HeaderEdits, OperatorsMakeAFormat) {
  const auto proto = fromYaml<RouteConfiguration>(
      "request_headers_to_add: [{header: {key: a, value: \"by %DOWNSTREAM_REMOTE_ADDRESS%\"}}]");
  base::FieldReport report;
  const route::HeaderEdits edits = toAllHeaderEdits(proto, report);
  EXPECT_TRUE(report.ok());
  ASSERT_EQ(edits.request.size(), 1u);
  EXPECT_EQ(edits.request[0].value, "");
  ASSERT_EQ(edits.request[0].format.size(), 2u);
  EXPECT_EQ(edits.request[0].format[1].op, http::LogOperator::DownstreamRemote);
}

TEST(HeaderEdits, Errors) {
  const ErrorCase cases[] = {
      {"request_headers_to_add: [{header: {key: a, value: \"%NO_SUCH%\"}}]",
       {"request_headers_to_add[0].header.value: unsupported_value: %NO_SUCH%"}},
      {"request_headers_to_add: [{header: {key: a b, value: x}}]",
       {"request_headers_to_add[0].header.key: unsupported_value: a b"}},
      {"request_headers_to_add: [{header: {key: a, value: \"x\\ty\\rz\"}}]",
       {"request_headers_to_add[0].header.value: syntax: "}},
      {"request_headers_to_add: [{header: {key: Content-Length, value: \"1\"}}]",
       {"request_headers_to_add[0].header.key: unsupported_value: Content-Length"}},
      {"request_headers_to_remove: [Transfer-Encoding]",
       {"request_headers_to_remove[0]: unsupported_value: Transfer-Encoding"}},
      {"response_headers_to_remove: [connection]",
       {"response_headers_to_remove[0]: unsupported_value: connection"}},
      {"request_headers_to_add: [{header: {key: a, value: \"5%\"}}]",
       {"request_headers_to_add[0].header.value: unsupported_value: 5%"}},
      {"request_headers_to_add: [{header: {key: ':path', value: x}}]",
       {"request_headers_to_add[0].header.key: unsupported_value: :path"}},
      {"response_headers_to_add: [{header: {key: Host, value: x}}]",
       {"response_headers_to_add[0].header.key: unsupported_value: Host"}},
      {"request_headers_to_remove: [a, host]",
       {"request_headers_to_remove[1]: unsupported_value: host"}},
      {"response_headers_to_remove: [':status']",
       {"response_headers_to_remove[0]: unsupported_value: :status"}},
  };
  for (const ErrorCase& c : cases) {
    base::FieldReport report;
    toAllHeaderEdits(fromYaml<RouteConfiguration>(c.yaml), report);
    EXPECT_EQ(brief(report.errors()), c.errors) << c.yaml;
  }
}

}  // namespace
}  // namespace convoy::config
