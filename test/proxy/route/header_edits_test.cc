#include "proxy/route/header_edits.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "test/common/fake_transport.h"
#include "test/proxy/route/requests.h"

namespace convoy::route {
namespace {

using Action = HeaderEdit::Action;
using Fields = std::vector<std::pair<std::string, std::string>>;

std::string textOf(const http::HeaderList& headers) {
  std::string out;
  for (const http::HeaderField& field : headers) {
    out.append(field.name).append("=").append(field.value).append(";");
  }
  return out;
}

std::string edited(const HeaderEditList& edits, const Fields& before) {
  http::HeaderList headers;
  for (const auto& [name, value] : before) headers.add(name, value);
  test::Scope scope;
  edits.apply(headers, scope.get());
  return textOf(headers);
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

// A request with a field "x-a: client", over TLS.
class EditFormatTest : public testing::Test {
 protected:
  EditFormatTest() { info_.downstream_transport = &transport_; }

  // Its fields after an edit of x-a.
  std::string edited(std::string_view format, Action action, bool keep_empty = false) {
    const std::vector<HeaderEdit> edits = {
        {"x-a", "", action, *http::parseLogFormat(format), keep_empty}};
    http::HeaderList headers;
    headers.add("x-a", "client");
    applyEdits(edits, headers, {request_, nullptr, info_, clock_, arena_});
    return textOf(headers);
  }
  std::string overwritten(std::string_view format) {
    return edited(format, Action::OverwriteIfExistsOrAdd);
  }

  http::RequestHead request_ =
      test::request("/", "a.example",
                    {{"x-first", "Ann"}, {"x-city", "Li\xc3\xa8ge"}, {"user-agent", "A/5.0 (X)"}});
  test::FakeTransport transport_;
  http::StreamInfo info_;
  event::SystemClock clock_;
  base::Arena arena_;
};

TEST_F(EditFormatTest, AValueNeitherBeginsNorEndsWithABlank) {
  EXPECT_EQ(overwritten("%REQ(x-first)% %REQ(x-last)%"), "x-a=Ann;");
  EXPECT_EQ(overwritten("%REQ(x-last)%\t %REQ(x-first)%"), "x-a=Ann;");
  EXPECT_EQ(overwritten("%REQ(user-agent):6%"), "x-a=A/5.0;");
  EXPECT_EQ(overwritten("%REQ(user-agent)%"), "x-a=A/5.0 (X);") << "within it may have some";
}

TEST_F(EditFormatTest, AByteThatNoValueMayHaveIsAQuestionMark) {
  transport_.server_name = "shop.example\r\nx-admin: 1 ";
  EXPECT_EQ(overwritten("%REQUESTED_SERVER_NAME%"), "x-a=shop.example??x-admin: 1;");
  transport_.peer.subject = std::string("\0CN=a\x7f", 6);
  EXPECT_EQ(overwritten("%DOWNSTREAM_PEER_SUBJECT%"), "x-a=?CN=a?;");
  transport_.peer.uris = {"\x01"};
  EXPECT_EQ(overwritten("%DOWNSTREAM_PEER_URI_SAN%"), "x-a=?;") << "not as if there were none";
  EXPECT_EQ(overwritten("%REQ(x-city)%"), "x-a=Li\xc3\xa8ge;");
}

TEST_F(EditFormatTest, WhatTurnsOutEmptyReplacesTheFieldOnlyIfItIsKept) {
  transport_.has_peer = false;
  const char* const format = "%DOWNSTREAM_PEER_URI_SAN%";
  EXPECT_EQ(edited(format, Action::OverwriteIfExistsOrAdd, true), "x-a=;");
  EXPECT_EQ(edited(format, Action::OverwriteIfExists, true), "x-a=;");
  EXPECT_EQ(edited(format, Action::AppendIfExistsOrAdd, true), "x-a=client;x-a=;");
  EXPECT_EQ(edited(format, Action::OverwriteIfExistsOrAdd, false), "x-a=client;") << "as Envoy";
}

TEST_F(EditFormatTest, BlanksAloneReplaceTheField) {
  EXPECT_EQ(overwritten("%REQ(x-last)% %REQ(x-last)%"), "x-a=;");
}

TEST_F(EditFormatTest, ALongNameInACertificateHidesNoOther) {
  const std::string name = "spiffe://a/" + std::string(200, 'w');
  transport_.peer.uris = {name, "spiffe://b/web"};
  EXPECT_EQ(overwritten("%DOWNSTREAM_PEER_URI_SAN%"), "x-a=" + name + ",spiffe://b/web;");
}

TEST(HeaderEditsTest, WithoutStepsNothingChanges) {
  EXPECT_EQ(edited(HeaderEditList(), {{"a", "1"}}), "a=1;");
}

}  // namespace
}  // namespace convoy::route
