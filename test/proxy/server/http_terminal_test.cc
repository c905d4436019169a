#include "proxy/server/http_terminal.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

#include "test/proxy/server/fixture.h"
#include "test/proxy/server/specs.h"

namespace convoy::server {
namespace {

class HttpTerminalTest : public testing::Test, protected OneWorker {
 protected:
  std::shared_ptr<const PreparedManager> prepare(
      const std::shared_ptr<const http::ConnectionManagerSpec>& spec) {
    return std::dynamic_pointer_cast<const PreparedManager>(terminal_.prepare(spec));
  }
  HttpTerminal terminal_{routes, logs, metrics, 2};
};

TEST_F(HttpTerminalTest, EveryVersionHasASlotForItsInlineRoutes) {
  const auto before = prepare(manager(table("inline", "1")));
  const auto after = prepare(manager(table("inline", "2")));
  test_loop.runReady();
  EXPECT_NE(before->routes, after->routes);
  EXPECT_NE(before->routes->get(0).get(), after->routes->get(0).get());
  EXPECT_NE(before->routes->get(0).get(), nullptr);
}

TEST_F(HttpTerminalTest, NamedRoutesAreSharedAndMayComeLater) {
  auto spec = manager(nullptr);
  spec->rds_name = "named";
  const auto one = prepare(spec);
  const auto other = prepare(spec);
  EXPECT_EQ(one->routes, other->routes);
  EXPECT_EQ(one->routes->get(0).get(), nullptr);
  ASSERT_TRUE(routes.put(table("named", "")).ok());
  test_loop.runReady();
  EXPECT_NE(one->routes->get(0).get(), nullptr);
}

TEST_F(HttpTerminalTest, ManagersOfOneStatPrefixCountTogether) {
  auto a = manager(table("inline", ""));
  auto b = manager(table("inline", ""));
  auto c = manager(table("inline", ""));
  c->stat_prefix = "another";
  auto first = prepare(a);
  first->metrics->slot(0).downstream_rq_total.add();
  EXPECT_EQ(prepare(b)->metrics, first->metrics);
  EXPECT_NE(prepare(c)->metrics, first->metrics);
  EXPECT_EQ(prepare(c)->h2_metrics, first->h2_metrics);
  EXPECT_EQ(metric(metrics, "http.test.downstream_rq_total"), 1);
  first.reset();
  EXPECT_EQ(metric(metrics, "http.test.downstream_rq_total"), -1) << "nobody has it any more";
}

TEST_F(HttpTerminalTest, LogsAreOpenedWhenTheyAreAdmitted) {
  std::string directory = testing::TempDir() + "/http_terminal_XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  auto spec = manager(table("inline", ""));
  spec->access_logs = {logOfCodes(directory + "/a.log"), logOfCodes(directory + "/missing/b.log")};
  const absl::Status refused = terminal_.admit(*spec);
  EXPECT_NE(refused.message().find("/missing/b.log"), std::string_view::npos) << refused;
  EXPECT_EQ(refused.GetPayload(kFieldPath), "typed_config.access_log[1].typed_config.path");
  EXPECT_TRUE(std::filesystem::exists(directory + "/a.log"));
  EXPECT_EQ(prepare(spec)->logs.size(), 1u) << "what has gone since is left out";
  spec->access_logs.pop_back();
  EXPECT_TRUE(terminal_.admit(*spec).ok());
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace convoy::server
