#include "controlplane/push/publisher.h"

#include <gtest/gtest.h>

#include <vector>

namespace convoy::controlplane::push {
namespace {

compile::SnapshotPtr snapshotAt(store::RevisionNumber revision) {
  model::Model model;
  model.revision = revision;
  return compile::Snapshot::compile(model, [](const auto&, const auto&) {});
}

class Recorder final : public Receiver {
 public:
  void onSnapshot(const compile::SnapshotPtr& snapshot, Differences&) override {
    revisions.push_back(snapshot->revision());
  }
  void onStop() override { stopped = true; }
  std::vector<store::RevisionNumber> revisions;
  bool stopped = false;
};

TEST(PublisherTest, HandsSnapshotsToThoseWhoAreThere) {
  Publisher publisher(snapshotAt(1));
  auto first = std::make_shared<Recorder>();
  EXPECT_EQ(publisher.add(first)->revision(), 1);
  publisher.publish(snapshotAt(2));
  auto second = std::make_shared<Recorder>();
  EXPECT_EQ(publisher.add(second)->revision(), 2);
  publisher.publish(snapshotAt(3));
  EXPECT_EQ(first->revisions, (std::vector<store::RevisionNumber>{2, 3}));
  EXPECT_EQ(second->revisions, (std::vector<store::RevisionNumber>{3}));
  second.reset();
  publisher.publish(snapshotAt(4));
  EXPECT_EQ(first->revisions.back(), 4);
}

TEST(PublisherTest, StopsThoseWhoAreThereAndThoseWhoCome) {
  Publisher publisher(snapshotAt(1));
  auto early = std::make_shared<Recorder>();
  publisher.add(early);
  publisher.stop();
  EXPECT_TRUE(early->stopped);
  auto late = std::make_shared<Recorder>();
  publisher.add(late);
  EXPECT_TRUE(late->stopped);
}

TEST(DifferencesTest, AreWorkedOutOnce) {
  auto from = std::make_shared<compile::View>();
  auto to = std::make_shared<compile::View>();
  const auto encoded = compile::encodedElsewhere("a", "1");
  to->resources[0].emplace(encoded->name, encoded);
  Differences differences;
  const compile::ViewDifference& once = differences.between(from, to);
  ASSERT_EQ(once[0].size(), 1u);
  EXPECT_EQ(&differences.between(from, to), &once);
  EXPECT_NE(&differences.between(to, from), &once);
}

}  // namespace
}  // namespace convoy::controlplane::push
