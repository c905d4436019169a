#include "proxy/route/header_edits.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "test/proxy/route/requests.h"

namespace convoy::route {
namespace {

using Action = HeaderEdit::Action;
using Fields = std::vector<std::pair<std::string, std::string>>;

std::string edited(const HeaderEditList& edits, const Fields& before) {
  http::HeaderList headers;
  for (const auto& [name, value] : before) headers.add(name, value);
  test::Scope scope;
  edits.apply(headers, scope.get());
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
  test::Scope scope;
  edits.apply(headers, scope.get());
  EXPECT_EQ(headers.size(), 1u);
  EXPECT_EQ(headers.valueOr(http::HeaderName::UserAgent, ""), "convoy");
}

TEST(HeaderEditsTest, EditsInOrderRemovalsAmongThem) {
  const std::vector<HeaderEdit> edits = {{"x-a", "1", Action::AppendIfExistsOrAdd},
                                         {"x-a", "", Action::Remove},
                                         {"x-b", "2", Action::AddIfAbsent}};
  HeaderEditList list;
  list.add(edits);
  EXPECT_EQ(edited(list, {{"x-a", "0"}}), "x-b=2;");
  test::Scope scope;
  http::HeaderList headers;
  applyEdits(edits, headers, scope.get());
  EXPECT_EQ(headers.size(), 1u);
}

TEST(HeaderEditsTest, ValuesOfFormatsComeFromTheRequest) {
  http::RequestHead request = test::request("/p?q", "a.example", {{"x-id", "7"}});
  http::StreamInfo info;
  info.status = 204;
  base::Arena arena;
  event::SystemClock clock;
  const EditScope scope{request, nullptr, info, clock, arena};
  const auto edit = [](const char* name, const char* format, bool keep_empty) {
    return HeaderEdit{name, "", Action::OverwriteIfExistsOrAdd, *http::parseLogFormat(format),
                      keep_empty};
  };
  const std::vector<HeaderEdit> edits = {
      edit("id", "<%REQ(X-ID)%> %REQ(:PATH):2% %RESPONSE_CODE%", false),
      edit("none", "%REQ(X-NONE)%", false),
      edit("kept", "%REQ(X-NONE)%", true),
      edit("at", "%START_TIME(%Y)%", false),
  };
  HeaderEditList list;
  list.add(edits);
  http::HeaderList headers;
  list.apply(headers, scope);
  ASSERT_EQ(headers.size(), 3u);
  EXPECT_EQ(headers.find("id")->value, "<7> /p 204");
  EXPECT_EQ(headers.find("kept")->value, "");
  EXPECT_EQ(headers.find("at")->value.size(), 4u);
}

TEST(HeaderEditsTest, WithoutStepsNothingChanges) {
  EXPECT_EQ(edited(HeaderEditList(), {{"a", "1"}}), "a=1;");
}

}  // namespace
}  // namespace convoy::route
