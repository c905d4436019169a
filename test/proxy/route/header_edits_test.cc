#include "proxy/route/header_edits.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace convoy::route {
namespace {

using Action = HeaderEdit::Action;
using Fields = std::vector<std::pair<std::string, std::string>>;

std::string edited(const HeaderEditList& edits, const Fields& before) {
  http::HeaderList headers;
  for (const auto& [name, value] : before) headers.add(name, value);
  edits.apply(headers);
  std::string out;
  for (const http::HeaderField& field : headers) {
    out.append(field.name).append("=").append(field.value).append(";");
  }
  return out;
}

struct Case {
  const char* what;
  Action action;
  Fields before;
  const char* after;
};

TEST(HeaderEditsTest, FollowsItsAction) {
  const Case cases[] = {
      {"append to none", Action::AppendIfExistsOrAdd, {}, "x-a=1;"},
      {"append to one", Action::AppendIfExistsOrAdd, {{"X-A", "0"}}, "X-A=0;x-a=1;"},
      {"add to none", Action::AddIfAbsent, {{"b", "2"}}, "b=2;x-a=1;"},
      {"add to one", Action::AddIfAbsent, {{"X-A", "0"}}, "X-A=0;"},
      {"overwrite none", Action::OverwriteIfExistsOrAdd, {}, "x-a=1;"},
      {"overwrite one of two",
       Action::OverwriteIfExistsOrAdd,
       {{"x-a", "0"}, {"x-a", "9"}},
       "x-a=1;"},
      {"overwrite only if it exists: no", Action::OverwriteIfExists, {{"b", "2"}}, "b=2;"},
      {"overwrite only if it exists: yes", Action::OverwriteIfExists, {{"x-a", "0"}}, "x-a=1;"},
  };
  for (const Case& c : cases) {
    HeaderEditList edits;
    const std::vector<HeaderEdit> steps = {{"x-a", "1", c.action}};
    edits.addLevel({}, steps);
    EXPECT_EQ(edited(edits, c.before), c.after) << c.what;
  }
}

TEST(HeaderEditsTest, RemovesBeforeItAddsLevelByLevel) {
  const std::vector<std::string> remove = {"x-a", "Server"};
  const std::vector<HeaderEdit> first = {{"x-a", "new", Action::AppendIfExistsOrAdd}};
  const std::vector<HeaderEdit> second = {{"x-b", "2", Action::AppendIfExistsOrAdd}};
  HeaderEditList edits;
  EXPECT_TRUE(edits.empty());
  edits.addLevel(remove, first);
  edits.addLevel({}, second);
  EXPECT_FALSE(edits.empty());
  EXPECT_EQ(edited(edits, {{"X-A", "old"}, {"server", "s"}, {"x-a", "older"}}), "x-a=new;x-b=2;");
}

TEST(HeaderEditsTest, KnownNamesAreFoundByTheirId) {
  const std::vector<HeaderEdit> steps = {{"User-Agent", "convoy", Action::OverwriteIfExistsOrAdd}};
  HeaderEditList edits;
  edits.addLevel({}, steps);
  http::HeaderList headers;
  headers.add("user-agent", "curl");
  edits.apply(headers);
  EXPECT_EQ(headers.size(), 1u);
  EXPECT_EQ(headers.valueOr(http::HeaderName::UserAgent, ""), "convoy");
}

TEST(HeaderEditsTest, WithoutStepsNothingChanges) {
  EXPECT_EQ(edited(HeaderEditList(), {{"a", "1"}}), "a=1;");
}

}  // namespace
}  // namespace convoy::route
