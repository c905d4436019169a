#include "controlplane/manage/config_manager.h"

#include <gtest/gtest.h>

#include <string>

#include "controlplane/manage/status.h"
#include "test/controlplane/common/manager_fixture.h"

namespace convoy::controlplane::manage {
namespace {

using ConfigManagerTest = ManagerTest;

class Counter final : public Observer {
 public:
  void onChange() override { ++count; }
  int count = 0;
};

TEST_F(ConfigManagerTest, CommitsPublishesAndTells) {
  auto observer = std::make_shared<Counter>();
  manager_->observers().add(observer);
  v1::ApplyRequest request;
  *request.mutable_config() = parse<v1::Config>(kTenLines);
  request.set_author("ann");
  request.set_comment("first light");
  const auto response = manager_->apply(request);
  ASSERT_TRUE(response.ok()) << response.status();
  EXPECT_FALSE(response->unchanged());
  EXPECT_EQ(response->revision().number(), 1);
  EXPECT_EQ(response->revision().author(), "ann");
  EXPECT_EQ(response->revision().comment(), "first light");
  EXPECT_EQ(response->revision().change_count(), 4);
  ASSERT_EQ(response->revision().changes_size(), 4);
  EXPECT_EQ(response->revision().changes(0).operation(), v1::Change::CREATED);
  EXPECT_FALSE(response->revision().changes(0).has_after());
  EXPECT_EQ(manager_->head(), 1);
  ASSERT_EQ(published_.size(), 1u);
  EXPECT_EQ(published_[0]->revision(), 1);
  EXPECT_EQ(published_[0], manager_->snapshot());
  EXPECT_EQ(observer->count, 1);
}

TEST_F(ConfigManagerTest, NothingNewMakesNoRevision) {
  ASSERT_TRUE(apply(kTenLines).ok());
  const auto again = apply(kTenLines);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->unchanged());
  EXPECT_EQ(again->revision().number(), 1);
  EXPECT_EQ(published_.size(), 1u);
}

TEST_F(ConfigManagerTest, ExpectedRevisions) {
  ASSERT_TRUE(apply(kTenLines).ok());
  v1::ApplyRequest request;
  *request.mutable_config() = parse<v1::Config>(R"(pools { name: "x" })");
  request.set_expected_revision(0);
  const absl::Status status = manager_->apply(request).status();
  EXPECT_TRUE(absl::IsAborted(status));
  EXPECT_NE(status.message().find("expected revision 0, but the newest is 1"),
            absl::string_view::npos);
  request.set_expected_revision(1);
  EXPECT_TRUE(manager_->apply(request).ok());
  v1::DeleteRequest remove = parse<v1::DeleteRequest>(R"(ids { kind: KIND_POOL name: "x" })");
  remove.set_expected_revision(1);
  EXPECT_TRUE(absl::IsAborted(manager_->remove(remove).status()));
  remove.set_expected_revision(2);
  const auto removed = manager_->remove(remove);
  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(removed->revision().changes(0).operation(), v1::Change::DELETED);
}

TEST_F(ConfigManagerTest, AFailedCommitChangesNothing) {
  ASSERT_TRUE(apply(kTenLines).ok());
  store_->commits = absl::ResourceExhaustedError("disk full");
  const auto failed = apply(R"(pools { name: "x" })");
  EXPECT_EQ(failed.status().code(), absl::StatusCode::kResourceExhausted);
  v1::DeleteRequest remove =
      parse<v1::DeleteRequest>(R"(ids { kind: KIND_BACKEND name: "web/10.0.0.1:80" })");
  EXPECT_FALSE(manager_->remove(remove).ok());
  EXPECT_EQ(manager_->head(), 1);
  EXPECT_EQ(published_.size(), 1u);
  store_->commits = absl::OkStatus();
  EXPECT_EQ(apply(R"(pools { name: "x" })")->revision().number(), 2);
}

TEST_F(ConfigManagerTest, RefusedPlansChangeNothing) {
  EXPECT_TRUE(absl::IsInvalidArgument(apply(R"(pools { name: "/" })").status()));
  v1::DeleteRequest remove = parse<v1::DeleteRequest>(R"(ids { kind: KIND_POOL name: "x" })");
  EXPECT_TRUE(absl::IsNotFound(manager_->remove(remove).status()));
  EXPECT_EQ(manager_->head(), 0);
}

TEST_F(ConfigManagerTest, WhatNodesWouldRefuseIsRefused) {
  check_ = [](const google::protobuf::Message& message) {
    std::vector<ext::ResourceError> errors;
    if (message.GetDescriptor()->name() == "Cluster") {
      ext::ResourceError& error = errors.emplace_back();
      error.set_name("web");
      error.set_field_path("lb_policy");
      error.set_rule("unsupported_field");
      error.set_reason("not here");
    }
    return errors;
  };
  const absl::Status status = apply(kTenLines).status();
  ASSERT_EQ(problemsOf(status).problems_size(), 1);
  const v1::Problem problem = problemsOf(status).problems(0);
  EXPECT_EQ(problem.field_path(), "pools[0]");
  EXPECT_EQ(problem.rule(), "unsupported_field");
  EXPECT_NE(problem.reason().find("lb_policy: not here"), std::string::npos);
  EXPECT_EQ(manager_->head(), 0);
  v1::ValidateRequest request;
  *request.mutable_config() = parse<v1::Config>(kTenLines);
  EXPECT_EQ(manager_->validate(request)->problems().total(), 1);
}

TEST_F(ConfigManagerTest, ValidateShowsWhatWouldChange) {
  ASSERT_TRUE(apply(kTenLines).ok());
  v1::ValidateRequest request;
  *request.mutable_config() = parse<v1::Config>(R"(
    listeners { name: "public" address: "0.0.0.0:8080" routes { pool: "web" } }
    pools { name: "web" backends { address: "10.0.0.1:80" weight: 5 } backends { address: "10.0.0.3:80" } })");
  const auto response = manager_->validate(request);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->revision(), 1);
  EXPECT_EQ(response->change_count(), 3);
  ASSERT_EQ(response->changes_size(), 3);
  EXPECT_EQ(response->changes(0).operation(), v1::Change::UPDATED);
  EXPECT_EQ(response->changes(0).before().backend().weight(), 1u);
  EXPECT_EQ(response->changes(0).after().backend().weight(), 5u);
  EXPECT_EQ(response->changes(1).operation(), v1::Change::DELETED);
  EXPECT_FALSE(response->changes(1).has_after());
  EXPECT_EQ(response->changes(2).operation(), v1::Change::CREATED);
  EXPECT_EQ(manager_->head(), 1);
  *request.mutable_config() = parse<v1::Config>(R"(pools {})");
  EXPECT_EQ(manager_->validate(request)->problems().total(), 1);
}

TEST_F(ConfigManagerTest, AuthorsAndCommentsHaveLimits) {
  v1::ApplyRequest request;
  request.set_author(std::string(257, 'a'));
  request.set_comment(std::string(4097, 'c'));
  EXPECT_EQ(problemsOf(manager_->apply(request).status()).total(), 2);
  v1::DeleteRequest remove;
  remove.set_author(std::string(257, 'a'));
  EXPECT_EQ(problemsOf(manager_->remove(remove).status()).total(), 1);
}

TEST_F(ConfigManagerTest, OpensWhatWasStored) {
  ASSERT_TRUE(apply(kTenLines).ok());
  open();
  EXPECT_EQ(manager_->head(), 1);
  EXPECT_EQ(manager_->snapshot()->revision(), 1);
  EXPECT_NE(manager_->snapshot()->viewFor({})->find(compile::Type::Cluster, "web"), nullptr);
}

TEST_F(ConfigManagerTest, DoesNotOpenWhatCannotBeRead) {
  store_->reads = absl::DataLossError("corrupt");
  EXPECT_TRUE(
      absl::IsDataLoss(ConfigManager::open(store_.get(), &clock_, validate::acceptAll()).status()));
}

}  // namespace
}  // namespace convoy::controlplane::manage
