#include "proxy/config/header_mutation.h"

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using Action = route::HeaderEdit::Action;
using envoy::extensions::filters::http::header_mutation::v3::HeaderMutation;
using envoy::extensions::filters::http::header_mutation::v3::HeaderMutationPerRoute;

constexpr char kMutations[] = R"(
mutations:
  request_mutations:
  - append: {header: {key: X-A, value: "1"}, append_action: ADD_IF_ABSENT}
  - remove: X-B
  response_mutations:
  - append: {header: {key: x-c, value: "2"}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}
)";

void expectEdits(const filter::header_mutation::Edits& edits) {
  ASSERT_EQ(edits.request.size(), 2u);
  EXPECT_EQ(edits.request[0].name, "x-a");
  EXPECT_EQ(edits.request[0].action, Action::AddIfAbsent);
  EXPECT_EQ(edits.request[1].name, "x-b");
  EXPECT_EQ(edits.request[1].action, Action::Remove);
  ASSERT_EQ(edits.response.size(), 1u);
  EXPECT_EQ(edits.response[0].value, "2");
}

TEST(HeaderMutation, KeepsTheOrderOfTheMutations) {
  base::FieldReport report;
  const auto spec = makeHeaderMutation(fromYaml<HeaderMutation>(kMutations), report);
  EXPECT_TRUE(report.ok());
  EXPECT_FALSE(spec->most_specific_wins);
  expectEdits(spec->edits);
}

TEST(HeaderMutation, OfARoute) {
  base::FieldReport report;
  const auto spec =
      makeHeaderMutationPerRoute(fromYaml<HeaderMutationPerRoute>(kMutations), report);
  EXPECT_TRUE(report.ok());
  expectEdits(spec->edits);
}

TEST(HeaderMutation, WhatIsMostSpecificMayComeLast) {
  base::FieldReport report;
  const auto proto = fromYaml<HeaderMutation>("most_specific_header_mutations_wins: true");
  EXPECT_TRUE(makeHeaderMutation(proto, report)->most_specific_wins);
}

TEST(HeaderMutation, FramingIsNotEdited) {
  const ErrorCase cases[] = {
      {"mutations: {request_mutations: [{append: {header: {key: Content-Length, value: 1}}}]}",
       {"mutations.request_mutations[0].append.header.key: unsupported_value: Content-Length"}},
      {"mutations: {response_mutations: [{remove: Connection}]}",
       {"mutations.response_mutations[0].remove: unsupported_value: Connection"}},
      {"mutations: {request_mutations: [{remove: ':path'}]}",
       {"mutations.request_mutations[0].remove: unsupported_value: :path"}},
  };
  for (const ErrorCase& c : cases) {
    base::FieldReport report;
    makeHeaderMutation(fromYaml<HeaderMutation>(c.yaml), report);
    EXPECT_EQ(brief(report.errors()), c.errors) << c.yaml;
  }
}

}  // namespace
}  // namespace convoy::config
