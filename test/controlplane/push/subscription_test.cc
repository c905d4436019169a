#include "controlplane/push/subscription.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/any.pb.h"

namespace convoy::controlplane::push {
namespace {

using compile::Type;

constexpr size_t kNoLimit = 1 << 20;

// A view of one type: name -> version.
compile::ViewPtr viewOf(Type type, const std::map<std::string, std::string>& resources,
                        store::RevisionNumber revision = 1) {
  auto view = std::make_shared<compile::View>();
  view->revision = revision;
  for (const auto& [name, version] : resources) {
    const auto encoded = compile::encodedElsewhere(name, version);
    view->resources[indexOf(type)].emplace(encoded->name, encoded);
  }
  return view;
}

std::string text(const std::optional<Update>& update) {
  if (!update.has_value()) return "nothing";
  std::string out;
  for (const auto& resource : update->resources) {
    absl::StrAppend(&out, resource->name, "@", resource->version, " ");
  }
  for (const std::string& name : update->removed) absl::StrAppend(&out, "-", name, " ");
  return out;
}

std::string refusals(const Subscription& subscription) {
  std::string out;
  for (const auto& [name, refusal] : subscription.refusals()) {
    absl::StrAppend(&out, name, ":", refusal.error.reason(), "@", refusal.revision, " ");
  }
  return out;
}

ext::ResourceError error(const std::string& name) {
  ext::ResourceError out;
  out.set_name(name);
  out.set_reason("bad");
  return out;
}

// Sends what there is to send and has it accepted.
std::string deliver(Subscription& subscription) {
  std::string out;
  while (subscription.hasAdditions()) {
    out += text(subscription.takeAdditions(kNoLimit));
    subscription.accepted();
  }
  while (subscription.hasRemovals()) {
    out += text(subscription.takeRemovals());
    subscription.accepted();
  }
  return out;
}

TEST(SubscriptionTest, NothingIsSentUnasked) {
  Subscription subscription(Type::Cluster, Protocol::Delta);
  subscription.setView(viewOf(Type::Cluster, {{"a", "1"}}), nullptr);
  EXPECT_FALSE(subscription.active());
  EXPECT_FALSE(subscription.hasAdditions());
  EXPECT_FALSE(subscription.hasRemovals());
}

TEST(SubscriptionTest, EverythingAndThenOnlyWhatChanges) {
  Subscription subscription(Type::Cluster, Protocol::Delta);
  subscription.wantAll();
  EXPECT_FALSE(subscription.hasAdditions());  // there is no view yet
  subscription.setView(viewOf(Type::Cluster, {{"a", "1"}, {"b", "1"}}), nullptr);
  EXPECT_EQ(deliver(subscription), "a@1 b@1 ");
  const std::vector<std::string> changed = {"a", "b", "c"};
  subscription.setView(viewOf(Type::Cluster, {{"a", "2"}, {"c", "1"}}), &changed);
  EXPECT_EQ(deliver(subscription), "a@2 c@1 -b ");
  subscription.setView(viewOf(Type::Cluster, {{"a", "2"}, {"c", "1"}}), nullptr);
  EXPECT_EQ(deliver(subscription), "");
}

TEST(SubscriptionTest, WhoAsksForEverythingGetsAnAnswerEvenIfThereIsNothing) {
  for (const Protocol protocol : {Protocol::Delta, Protocol::WholeState}) {
    Subscription subscription(Type::Listener, protocol);
    subscription.wantAll();
    subscription.setView(viewOf(Type::Listener, {}), nullptr);
    ASSERT_TRUE(subscription.hasAdditions());
    EXPECT_EQ(text(subscription.takeAdditions(kNoLimit)), "");
    EXPECT_FALSE(subscription.bringsNew());
    subscription.accepted();
    EXPECT_FALSE(subscription.hasAdditions());
  }
}

TEST(SubscriptionTest, ByName) {
  Subscription subscription(Type::Assignment, Protocol::Delta);
  subscription.setView(viewOf(Type::Assignment, {{"a", "1"}, {"b", "1"}}), nullptr);
  subscription.want("a");
  subscription.want("missing");
  EXPECT_EQ(deliver(subscription), "a@1 -missing ");
  // Once is enough.
  subscription.setView(viewOf(Type::Assignment, {{"a", "1"}}), nullptr);
  EXPECT_EQ(deliver(subscription), "");
  // It comes into being, and goes again.
  subscription.setView(viewOf(Type::Assignment, {{"a", "1"}, {"missing", "1"}}), nullptr);
  EXPECT_EQ(deliver(subscription), "missing@1 ");
  subscription.setView(viewOf(Type::Assignment, {{"a", "1"}}), nullptr);
  EXPECT_EQ(deliver(subscription), "-missing ");
  // Asking again gets an answer again.
  subscription.want("a");
  subscription.want("missing");
  EXPECT_EQ(deliver(subscription), "a@1 -missing ");
  // No longer wanted, no longer sent.
  subscription.wantNoMore("a");
  subscription.setView(viewOf(Type::Assignment, {{"a", "2"}}), nullptr);
  EXPECT_EQ(deliver(subscription), "");
  subscription.want("a");
  EXPECT_EQ(deliver(subscription), "a@2 ");
}

TEST(SubscriptionTest, WhoComesBackGetsTheDifference) {
  Subscription subscription(Type::Cluster, Protocol::Delta);
  subscription.has("same", "1");
  subscription.has("old", "1");
  subscription.has("gone", "1");
  subscription.wantAll();
  subscription.setView(viewOf(Type::Cluster, {{"same", "1"}, {"old", "2"}, {"new", "1"}}), nullptr);
  EXPECT_EQ(deliver(subscription), "new@1 old@2 -gone ");

  Subscription named(Type::Assignment, Protocol::Delta);
  named.has("same", "1");
  named.has("old", "1");
  named.want("same");
  named.want("old");
  named.setView(viewOf(Type::Assignment, {{"same", "1"}, {"old", "2"}}), nullptr);
  EXPECT_EQ(deliver(named), "old@2 ");
}

TEST(SubscriptionTest, EverythingAndNamesTogether) {
  Subscription subscription(Type::Cluster, Protocol::Delta);
  subscription.setView(viewOf(Type::Cluster, {{"a", "1"}, {"b", "1"}}), nullptr);
  subscription.want("a");
  subscription.wantAll();
  EXPECT_EQ(deliver(subscription), "a@1 b@1 ");
  subscription.wantAllNoMore();
  EXPECT_TRUE(subscription.active());
  subscription.setView(viewOf(Type::Cluster, {{"a", "2"}, {"b", "2"}}), nullptr);
  EXPECT_EQ(deliver(subscription), "a@2 ");
}

TEST(SubscriptionTest, LargeUpdatesComeInPieces) {
  auto view = std::make_shared<compile::View>();
  for (const char* name : {"a", "b", "c"}) {
    google::protobuf::Any message;
    message.set_value(std::string(600, 'x'));
    const auto encoded = compile::encode(Type::Cluster, name, message);
    view->resources[indexOf(Type::Cluster)].emplace(encoded->name, encoded);
  }
  Subscription delta(Type::Cluster, Protocol::Delta);
  delta.wantAll();
  delta.setView(view, nullptr);
  EXPECT_EQ(delta.takeAdditions(1000)->resources.size(), 2u);
  EXPECT_TRUE(delta.hasAdditions());
  EXPECT_TRUE(delta.bringsNew());
  delta.accepted();
  EXPECT_EQ(delta.takeAdditions(1000)->resources.size(), 1u);
  // A whole state cannot be cut.
  Subscription whole(Type::Cluster, Protocol::WholeState);
  whole.wantAll();
  whole.setView(view, nullptr);
  EXPECT_EQ(whole.takeAdditions(1000)->resources.size(), 3u);
}

TEST(SubscriptionTest, KnowsWhatIsNewToTheClient) {
  Subscription subscription(Type::Cluster, Protocol::Delta);
  subscription.wantAll();
  subscription.setView(viewOf(Type::Cluster, {{"a", "1"}}), nullptr);
  EXPECT_TRUE(subscription.bringsNew());
  subscription.takeAdditions(kNoLimit);
  EXPECT_TRUE(subscription.bringsNew());
  subscription.accepted();
  EXPECT_FALSE(subscription.bringsNew());
  subscription.setView(viewOf(Type::Cluster, {{"a", "2"}}), nullptr);
  EXPECT_TRUE(subscription.hasAdditions());
  EXPECT_FALSE(subscription.bringsNew());
  // What was to come and is gone again brings nothing.
  subscription.setView(viewOf(Type::Cluster, {{"a", "2"}, {"b", "1"}}), nullptr);
  EXPECT_TRUE(subscription.bringsNew());
  subscription.setView(viewOf(Type::Cluster, {{"a", "2"}}), nullptr);
  EXPECT_FALSE(subscription.bringsNew());
}

TEST(SubscriptionTest, RefusalsByName) {
  Subscription subscription(Type::Cluster, Protocol::Delta);
  subscription.wantAll();
  subscription.setView(viewOf(Type::Cluster, {{"a", "1"}, {"b", "1"}, {"c", "1"}}, 5), nullptr);
  subscription.takeAdditions(kNoLimit);
  subscription.refused({error("a"), error("b")}, "two are bad");
  EXPECT_EQ(refusals(subscription), "a:bad@5 b:bad@5 ");
  // Not sent again as they are.
  EXPECT_EQ(deliver(subscription), "");
  // One is mended, one is removed.
  subscription.setView(viewOf(Type::Cluster, {{"a", "2"}, {"c", "1"}}, 6), nullptr);
  EXPECT_EQ(refusals(subscription), "a:bad@5 ");
  EXPECT_EQ(deliver(subscription), "a@2 -b ");
  EXPECT_EQ(refusals(subscription), "");
}

TEST(SubscriptionTest, RefusalsWithoutNames) {
  Subscription subscription(Type::Cluster, Protocol::Delta);
  subscription.wantAll();
  subscription.setView(viewOf(Type::Cluster, {{"a", "1"}, {"b", "1"}}, 1), nullptr);
  subscription.takeAdditions(kNoLimit);
  subscription.refused({}, "something is bad");
  EXPECT_EQ(refusals(subscription), ":something is bad@1 ");
  // A response with one resource can be only about that one.
  subscription.setView(viewOf(Type::Cluster, {{"a", "2"}, {"b", "1"}}, 2), nullptr);
  subscription.takeAdditions(kNoLimit);
  subscription.refused({}, "still bad");
  EXPECT_EQ(refusals(subscription), ":something is bad@1 a:still bad@2 ");
  subscription.setView(viewOf(Type::Cluster, {{"a", "3"}, {"b", "1"}}, 3), nullptr);
  EXPECT_EQ(deliver(subscription), "a@3 ");
  EXPECT_EQ(refusals(subscription), "");
}

TEST(SubscriptionTest, AnswersToNothingAreLeftAlone) {
  Subscription subscription(Type::Cluster, Protocol::Delta);
  subscription.accepted();
  subscription.refused({error("a")}, "bad");
  EXPECT_EQ(refusals(subscription), "");
}

TEST(SubscriptionTest, WholeStateKeepsWhatMayNotGoYet) {
  Subscription subscription(Type::Cluster, Protocol::WholeState);
  subscription.wantAll();
  subscription.setView(viewOf(Type::Cluster, {{"a", "1"}, {"b", "1"}}), nullptr);
  EXPECT_EQ(deliver(subscription), "a@1 b@1 ");
  subscription.setView(viewOf(Type::Cluster, {{"b", "2"}, {"c", "1"}}), nullptr);
  EXPECT_EQ(text(subscription.takeAdditions(kNoLimit)), "a@1 b@2 c@1 ");
  subscription.accepted();
  EXPECT_EQ(text(subscription.takeRemovals()), "b@2 c@1 ");
}

TEST(SubscriptionTest, WholeStateOfNamedTypesSendsOnlyWhatChanges) {
  Subscription subscription(Type::Assignment, Protocol::WholeState);
  subscription.setView(viewOf(Type::Assignment, {{"a", "1"}, {"b", "1"}}), nullptr);
  subscription.want("a");
  subscription.want("b");
  subscription.want("missing");
  EXPECT_EQ(deliver(subscription), "a@1 b@1 ");
  subscription.setView(viewOf(Type::Assignment, {{"a", "2"}}), nullptr);
  EXPECT_EQ(text(subscription.takeAdditions(kNoLimit)), "a@2 ");
  subscription.accepted();
  // The client drops it with the cluster that named it.
  EXPECT_EQ(text(subscription.takeRemovals()), "nothing");
  EXPECT_FALSE(subscription.hasRemovals());
  EXPECT_FALSE(subscription.inFlight());
}

}  // namespace
}  // namespace convoy::controlplane::push
