#include "proxy/xds/secret_wants.h"

#include <gtest/gtest.h>

namespace convoy::xds {
namespace {

using std::chrono::seconds;

const event::MonotonicTime kNow(std::chrono::hours(1));
constexpr auto kNever = event::MonotonicTime::max();

std::shared_ptr<const tls::SecretSpec> secret(const std::string& name) {
  auto spec = std::make_shared<tls::SecretSpec>();
  spec->name = name;
  return spec;
}
std::vector<SecretUse> uses(const std::vector<std::string>& names) {
  std::vector<SecretUse> list;
  for (const std::string& name : names) list.push_back({name, seconds(10)});
  return list;
}
std::vector<std::string> taken(SecretWants& wants) {
  std::vector<std::string> list;
  for (const NameChange& change : wants.takeNames()) {
    list.push_back((change.wanted ? "+" : "-") + change.name);
  }
  return list;
}
using Lines = std::vector<std::string>;

TEST(SecretWants, SubscribesWithTheFirstUserAndUnsubscribesWithTheLast) {
  SecretWants wants;
  wants.set("listener l", uses({"a", "b", "a"}), kNow);
  wants.set("cluster c", uses({"a"}), kNow);
  EXPECT_EQ(taken(wants), (Lines{"+a", "+b"}));
  wants.set("listener l", uses({"b"}), kNow);
  EXPECT_EQ(taken(wants), Lines());
  wants.set("cluster c", {}, kNow);
  EXPECT_EQ(taken(wants), Lines{"-a"});
  wants.set("listener l", {}, kNow);
  EXPECT_EQ(taken(wants), Lines{"-b"});
}

TEST(SecretWants, WaitsUntilTheSecretIsThereOrTheTimeIsOver) {
  SecretWants wants;
  wants.set("listener l", uses({"a", "b"}), kNow);
  EXPECT_EQ(wants.awaited(uses({"a", "b"}), kNow), "a");
  EXPECT_EQ(wants.missing(uses({"a", "b"})), 2u);
  EXPECT_EQ(wants.deadlineOf(uses({"a"}), kNow), kNow + seconds(10));
  wants.put(secret("a"));
  EXPECT_EQ(wants.awaited(uses({"a", "b"}), kNow), "b");
  EXPECT_EQ(wants.deadlineOf(uses({"a"}), kNow), kNever);
  EXPECT_EQ(wants.awaited(uses({"a", "b"}), kNow + seconds(10)), "");
  EXPECT_EQ(wants.missing(uses({"a", "b"})), 1u);
  wants.absent("b");
  EXPECT_EQ(wants.awaited(uses({"b"}), kNow), "");
}

TEST(SecretWants, TheDeadlineCountsFromTheFirstMention) {
  SecretWants wants;
  wants.set("listener l", uses({"a"}), kNow);
  wants.set("listener m", uses({"a"}), kNow + seconds(5));
  EXPECT_EQ(wants.deadlineOf(uses({"a"}), kNow), kNow + seconds(10));
  wants.set("cluster c", {{"for_ever", seconds(0)}}, kNow);
  EXPECT_EQ(wants.awaited({{"for_ever", seconds(0)}}, kNow + std::chrono::hours(1)), "for_ever");
}

TEST(SecretWants, HandsOverTheNewestOfWhatIsWanted) {
  SecretWants wants;
  wants.put(secret("stranger"));
  wants.set("listener l", uses({"a", "gone"}), kNow);
  const auto newest = secret("a");
  wants.put(secret("a"));
  wants.put(newest);
  wants.put(secret("gone"));
  wants.set("listener l", uses({"a"}), kNow);
  const auto fresh = wants.takeNew();
  ASSERT_EQ(fresh.size(), 1u);
  EXPECT_EQ(fresh[0], newest);
  EXPECT_EQ(wants.takeRemoved(), Lines{"gone"});
  EXPECT_TRUE(wants.takeNew().empty());
  EXPECT_TRUE(wants.takeRemoved().empty());
}

}  // namespace
}  // namespace convoy::xds
