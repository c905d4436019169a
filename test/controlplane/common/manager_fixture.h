#pragma once

// A manager on a store of its own, without sockets.

#include <memory>
#include <string>
#include <vector>

#include "controlplane/manage/config_manager.h"
#include "controlplane/store/sqlite_store.h"
#include "gtest/gtest.h"
#include "test/common/simulated_clock.h"
#include "test/controlplane/common/config_text.h"
#include "test/controlplane/common/failing_store.h"
#include "test/controlplane/common/temporary_folder.h"

namespace convoy::controlplane {

class ManagerTest : public testing::Test {
 protected:
  static constexpr char kTenLines[] = R"(
    listeners { name: "public" address: "0.0.0.0:8080" routes { pool: "web" } }
    pools { name: "web" backends { address: "10.0.0.1:80" } backends { address: "10.0.0.2:80" } })";

  ManagerTest() {
    auto opened = store::SqliteStore::open({.path = folder_.file("convoy.db"), .vfs = ""});
    EXPECT_TRUE(opened.ok()) << opened.status();
    sqlite_ = std::move(*opened);
    store_ = std::make_unique<FailingStore>(sqlite_.get());
    open();
  }

  // Makes a new manager of what is stored.
  void open() {
    auto manager = manage::ConfigManager::open(
        store_.get(), &clock_, [this](const google::protobuf::Message& message) {
          return check_ ? check_(message) : std::vector<ext::ResourceError>();
        });
    ASSERT_TRUE(manager.ok()) << manager.status();
    manager_ = std::move(*manager);
    manager_->setPublish([this](compile::SnapshotPtr snapshot) { published_.push_back(snapshot); });
  }

  absl::StatusOr<v1::ApplyResponse> apply(const std::string& config, bool prune = false) {
    v1::ApplyRequest request;
    *request.mutable_config() = parse<v1::Config>(config);
    request.set_prune(prune);
    return manager_->apply(request);
  }

  test::SimulatedClock clock_;
  TemporaryFolder folder_;
  std::unique_ptr<store::SqliteStore> sqlite_;
  std::unique_ptr<FailingStore> store_;
  validate::XdsCheck check_;
  std::unique_ptr<manage::ConfigManager> manager_;
  std::vector<compile::SnapshotPtr> published_;
};

}  // namespace convoy::controlplane
