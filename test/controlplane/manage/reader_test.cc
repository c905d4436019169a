#include "controlplane/manage/reader.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "test/controlplane/common/manager_fixture.h"

namespace convoy::controlplane::manage {
namespace {

class ReaderTest : public ManagerTest {
 protected:
  // "name@revision" of every resource of every page.
  std::string listAll(const std::string& request_text) {
    auto request = parse<v1::ListRequest>(request_text);
    std::string out;
    while (true) {
      const auto page = list(*store_, request);
      if (!page.ok()) return absl::StrCat(out, page.status().ToString());
      for (const v1::Resource& resource : page->resources()) {
        const std::string name =
            resource.has_listener()      ? resource.listener().name()
            : resource.has_route_table() ? resource.route_table().name()
            : resource.has_pool()
                ? absl::StrCat(resource.pool().name(), "(", resource.pool().backends_size(), ")")
                : resource.backend().address();
        absl::StrAppend(&out, name, "@", resource.revision(), " ");
      }
      if (page->next_page_token().empty()) return out;
      out += "| ";
      request.set_page_token(page->next_page_token());
    }
  }
  std::string historyText(const std::string& request) {
    const auto response = history(*store_, parse<v1::HistoryRequest>(request));
    if (!response.ok()) return response.status().ToString();
    std::string out;
    for (const v1::Revision& revision : response->revisions()) {
      absl::StrAppend(&out, revision.number(), "(", revision.changes_size(), "/",
                      revision.change_count(), ") ");
    }
    if (response->next_before_revision() != 0) {
      absl::StrAppend(&out, "then ", response->next_before_revision());
    }
    return out;
  }
  void fill() {
    ASSERT_TRUE(apply(kTenLines).ok());
    ASSERT_TRUE(apply(R"(route_tables { name: "t" } pools { name: "a" })").ok());
    ASSERT_TRUE(apply(R"(backends { pool: "web" address: "10.0.0.1:80" weight: 9 })").ok());
  }
};

TEST_F(ReaderTest, ListsKindsPagesAndPastStates) {
  fill();
  EXPECT_EQ(listAll(""), "public@1 t@2 a(0)@2 web(2)@1 ");
  EXPECT_EQ(listAll("revision: 1"), "public@1 web(2)@1 ");
  EXPECT_EQ(listAll("page_size: 1"), "public@1 | t@2 | a(0)@2 | web(2)@1 ");
  EXPECT_EQ(listAll("page_size: 2"), "public@1 t@2 | a(0)@2 web(2)@1 ");
  EXPECT_EQ(listAll("kind: KIND_POOL"), "a(0)@2 web(2)@1 ");
  EXPECT_EQ(listAll("kind: KIND_BACKEND page_size: 1"), "10.0.0.1:80@3 | 10.0.0.2:80@1 ");
  EXPECT_EQ(listAll("kind: KIND_BACKEND pool: \"a\""), "");
  EXPECT_EQ(listAll("kind: KIND_BACKEND pool: \"web\" revision: 2"),
            "10.0.0.1:80@1 10.0.0.2:80@1 ");
}

TEST_F(ReaderTest, AllPagesAreOfOneRevision) {
  fill();
  auto request = parse<v1::ListRequest>("page_size: 1");
  const auto first = list(*store_, request);
  ASSERT_TRUE(apply("", true).ok());
  request.set_page_token(first->next_page_token());
  const auto second = list(*store_, request);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->revision(), 3);
  EXPECT_EQ(second->resources(0).route_table().name(), "t");
}

TEST_F(ReaderTest, PagesEndAtAMebibyte) {
  std::string config;
  for (int i = 0; i < 5; ++i) {
    absl::StrAppend(&config, "route_tables { name: \"t", i, "\"");
    for (int j = 0; j < 100; ++j) {
      absl::StrAppend(&config, "routes { direct_response { status: 200 body: \"",
                      std::string(4000, 'x'), "\" } }");
    }
    config += "}";
  }
  ASSERT_TRUE(apply(config).ok());
  EXPECT_EQ(listAll(""), "t0@1 t1@1 t2@1 | t3@1 t4@1 ");
  EXPECT_EQ(historyText("contents: true"), "1(3/5) ");
  EXPECT_EQ(historyText(""), "1(5/5) ");
}

TEST_F(ReaderTest, RefusesBadRequests) {
  fill();
  EXPECT_TRUE(absl::IsOutOfRange(list(*store_, parse<v1::ListRequest>("revision: 9")).status()));
  EXPECT_TRUE(absl::IsOutOfRange(list(*store_, parse<v1::ListRequest>("revision: -1")).status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(list(*store_, parse<v1::ListRequest>("page_size: 1001")).status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(list(*store_, parse<v1::ListRequest>("page_size: -1")).status()));
  for (const char* token : {"!", "bm9uc2Vuc2U", "MTox", "eDp5Ono"}) {
    v1::ListRequest request;
    request.set_page_token(token);
    EXPECT_TRUE(absl::IsInvalidArgument(list(*store_, request).status())) << token;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(
      history(*store_, parse<v1::HistoryRequest>("page_size: -1")).status()));
}

TEST_F(ReaderTest, Gets) {
  fill();
  auto request = parse<v1::GetRequest>(R"(id { kind: KIND_BACKEND name: "web/10.0.0.1:80" })");
  EXPECT_EQ(get(*store_, request)->resource().backend().weight(), 9u);
  EXPECT_EQ(get(*store_, request)->revision(), 3);
  request.set_revision(2);
  EXPECT_EQ(get(*store_, request)->resource().backend().weight(), 1u);
  EXPECT_EQ(get(*store_, request)->resource().revision(), 1);
  request.mutable_id()->set_name("web/none");
  const absl::Status status = get(*store_, request).status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_NE(status.message().find("backend \"web/none\" at revision 2"), absl::string_view::npos);
  request.set_revision(99);
  EXPECT_TRUE(absl::IsOutOfRange(get(*store_, request).status()));
}

TEST_F(ReaderTest, PoolsHaveAllTheirBackends) {
  std::string config = "pools { name: \"big\" ";
  for (int i = 1; i <= 2500; ++i)
    absl::StrAppend(&config, "backends { address: \"10.0.0.1:", i, "\" }");
  ASSERT_TRUE(apply(config + "}").ok());
  const auto got = get(*store_, parse<v1::GetRequest>(R"(id { kind: KIND_POOL name: "big" })"));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got->resource().pool().backends_size(), 2500);
}

TEST_F(ReaderTest, Histories) {
  fill();
  EXPECT_EQ(historyText(""), "3(1/1) 2(2/2) 1(4/4) ");
  EXPECT_EQ(historyText("page_size: 2"), "3(1/1) 2(2/2) then 2");
  EXPECT_EQ(historyText("before_revision: 2"), "1(4/4) ");
  EXPECT_EQ(historyText("id { kind: KIND_POOL name: \"web\" }"), "1(1/4) ");
  EXPECT_EQ(historyText("id { kind: KIND_POOL }"), "2(1/2) 1(1/4) ");
  EXPECT_EQ(historyText("id { kind: KIND_BACKEND name: \"web/\" }"), "3(1/1) 1(2/4) ");
  EXPECT_EQ(historyText("id { kind: KIND_POOL name: \"we\" }"), "");
}

TEST_F(ReaderTest, ChangesHaveTheirContents) {
  fill();
  ASSERT_TRUE(apply(kTenLines, true).ok());
  const auto page = changes(*store_, 4, {}, 10, true);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->changes.size(), 3u);
  EXPECT_EQ(page->changes[0].operation(), v1::Change::DELETED);
  EXPECT_EQ(page->changes[0].before().route_table().name(), "t");
  EXPECT_EQ(page->changes[0].before().revision(), 2);
  EXPECT_FALSE(page->changes[0].has_after());
  EXPECT_EQ(page->changes[2].operation(), v1::Change::UPDATED);
  EXPECT_EQ(page->changes[2].before().backend().weight(), 9u);
  EXPECT_EQ(page->changes[2].after().backend().weight(), 1u);
  EXPECT_EQ(page->changes[2].after().revision(), 4);
  EXPECT_FALSE(changes(*store_, 4, {}, 2, true)->complete);
  EXPECT_TRUE(changes(*store_, 4, {}, 3, true)->complete);
}

TEST_F(ReaderTest, Describes) {
  clock_.advance(std::chrono::seconds(5));
  ASSERT_TRUE(apply(kTenLines).ok());
  const auto revision = describe(*store_, 1);
  ASSERT_TRUE(revision.ok());
  EXPECT_EQ(revision->change_count(), 4);
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(clock_.wallNow().time_since_epoch());
  EXPECT_EQ(revision->create_time().seconds(), now.count());
  EXPECT_TRUE(absl::IsOutOfRange(describe(*store_, 2).status()));
}

TEST_F(ReaderTest, FailuresOfTheStoreAreSaid) {
  fill();
  store_->reads = absl::DataLossError("corrupt");
  EXPECT_TRUE(absl::IsDataLoss(get(*store_, parse<v1::GetRequest>("revision: 1")).status()));
  EXPECT_TRUE(absl::IsDataLoss(get(*store_, {}).status()));
  EXPECT_TRUE(absl::IsDataLoss(list(*store_, {}).status()));
  EXPECT_TRUE(absl::IsDataLoss(list(*store_, parse<v1::ListRequest>("revision: 1")).status()));
  EXPECT_TRUE(absl::IsDataLoss(history(*store_, {}).status()));
  EXPECT_TRUE(absl::IsDataLoss(changes(*store_, 1, {}, 1, false).status()));
  EXPECT_TRUE(absl::IsDataLoss(describe(*store_, 1).status()));
}

}  // namespace
}  // namespace convoy::controlplane::manage
