#include "controlplane/manage/ticket_keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <set>
#include <string>
#include <vector>

#include "controlplane/compile/tls.h"
#include "test/common/simulated_clock.h"
#include "test/controlplane/common/temporary_folder.h"

namespace convoy::controlplane::manage {
namespace {

using std::chrono::hours;

class TicketKeysTest : public testing::Test {
 protected:
  // Whether a node that has the keys of one epoch resumes what one with those of another began.
  bool resumes(int64_t reader, int64_t maker) const {
    const std::vector<std::string> keys = ticketKeysOf(reader, key_);
    return std::find(keys.begin(), keys.end(), ticketKeysOf(maker, key_).front()) != keys.end();
  }

  TemporaryFolder folder_;
  const store::SecretsKey key_ = store::SecretsKey::create(folder_.file("key")).value();
};

TEST_F(TicketKeysTest, AnEpochIsTwelveHoursOfTheClock) {
  const event::WallTime start{};
  EXPECT_EQ(ticketEpochAt(start), 0);
  EXPECT_EQ(ticketEpochAt(start + hours(12) - event::Duration(1)), 0);
  EXPECT_EQ(ticketEpochAt(start + hours(12)), 1);
  EXPECT_EQ(ticketEpochAt(start + hours(40'000 * 12 + 5)), 40'000);
}

TEST_F(TicketKeysTest, EachEpochHasAKeyOfItsOwn) {
  std::set<std::string> names, keys;
  for (int64_t epoch = 0; epoch < 100; ++epoch) {
    const std::string key = ticketKeysOf(epoch, key_).front();
    EXPECT_EQ(key, key_.derive("convoy session ticket key " + std::to_string(epoch), 80));
    // By the first 16 bytes nodes know which key it is.
    names.insert(key.substr(0, 16));
    keys.insert(key.substr(16));
  }
  EXPECT_EQ(names.size(), 100u);
  EXPECT_EQ(keys.size(), 100u);
}

TEST_F(TicketKeysTest, NodesOnBothSidesOfARotationResumeEachOthersSessions) {
  EXPECT_TRUE(resumes(7, 7));
  EXPECT_TRUE(resumes(8, 7));
  EXPECT_TRUE(resumes(7, 8)) << "a node that was told late";
  EXPECT_FALSE(resumes(7, 9));
}

TEST_F(TicketKeysTest, ASessionIsResumedAsLongAsItLives) {
  const event::WallTime issued = event::WallTime{} + hours(84) - event::Duration(1);
  const event::WallTime ends = issued + std::chrono::seconds(compile::kSessionSeconds);
  EXPECT_TRUE(resumes(ticketEpochAt(ends), ticketEpochAt(issued)));
  EXPECT_FALSE(resumes(ticketEpochAt(ends + hours(12)), ticketEpochAt(issued)))
      << "keys are not kept for longer";
}

TEST_F(TicketKeysTest, TheClockRotates) {
  test::SimulatedClock clock;
  const int64_t first = ticketEpochAt(clock.wallNow());
  std::vector<std::vector<std::string>> published;
  std::promise<void> rotated;
  TicketRotation rotation(key_, &clock, std::chrono::milliseconds(1),
                          [&](const std::vector<std::string>& keys) {
                            published.push_back(keys);
                            if (published.size() == 2) rotated.set_value();
                          });
  // Nobody else publishes until time has moved.
  ASSERT_EQ(published.size(), 1u);
  EXPECT_EQ(published[0], ticketKeysOf(first, key_));
  clock.advance(hours(12));
  rotated.get_future().wait();
  EXPECT_EQ(published[1], ticketKeysOf(first + 1, key_));
}

TEST_F(TicketKeysTest, EndsWithoutWaitingForTheClock) {
  test::SimulatedClock clock;
  int published = 0;
  {
    TicketRotation rotation(key_, &clock, hours(1), [&](const auto&) { ++published; });
  }
  EXPECT_EQ(published, 1);
}

}  // namespace
}  // namespace convoy::controlplane::manage
