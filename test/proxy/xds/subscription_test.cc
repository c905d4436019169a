#include "proxy/xds/subscription.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "envoy/config/cluster/v3/cluster.pb.h"

namespace convoy::xds {
namespace {

using Interest = Subscription::Interest;
using Names = std::vector<std::string>;

constexpr char kType[] = "type.googleapis.com/envoy.config.cluster.v3.Cluster";

struct Sent {
  std::string name;
  std::string version;
};

DeltaResponse responseWith(const std::string& nonce, const std::vector<Sent>& resources,
                           const Names& removed = {}) {
  DeltaResponse response;
  response.set_nonce(nonce);
  response.set_type_url(kType);
  for (const Sent& sent : resources) {
    auto* resource = response.add_resources();
    resource->set_name(sent.name);
    resource->set_version(sent.version);
    resource->mutable_resource()->set_type_url(kType);
  }
  for (const std::string& name : removed) response.add_removed_resources(name);
  return response;
}

ext::ResourceError errorAbout(const std::string& name) {
  ext::ResourceError error;
  error.set_type_url(kType);
  error.set_name(name);
  error.set_field_path("a.b");
  error.set_reason("is wrong");
  return error;
}

Names subscribed(const DeltaRequest& request) {
  return {request.resource_names_subscribe().begin(), request.resource_names_subscribe().end()};
}
Names unsubscribed(const DeltaRequest& request) {
  return {request.resource_names_unsubscribe().begin(), request.resource_names_unsubscribe().end()};
}
std::map<std::string, std::string> initial(const DeltaRequest& request) {
  return {request.initial_resource_versions().begin(), request.initial_resource_versions().end()};
}

// Takes the response whole and returns the answer.
DeltaRequest accept(Subscription& subscription, const DeltaResponse& response,
                    std::vector<ext::ResourceError> errors = {}) {
  subscription.onResponse(response);
  subscription.finish(std::move(errors));
  std::optional<DeltaRequest> request = subscription.nextRequest();
  EXPECT_TRUE(request.has_value());
  return request.value_or(DeltaRequest());
}

std::map<std::string, std::string> versions(const Subscription& subscription) {
  std::map<std::string, std::string> held;
  for (const auto& [name, entry] : subscription.held()) {
    if (entry.accepted) held[name] = entry.version;
  }
  return held;
}

TEST(SubscriptionTest, AWildcardAsksForEverythingOnce) {
  Subscription all(kType, Interest::All);
  all.onStreamStarted();
  const std::optional<DeltaRequest> first = all.nextRequest();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->type_url(), kType);
  EXPECT_TRUE(subscribed(*first).empty());
  EXPECT_TRUE(initial(*first).empty());
  EXPECT_EQ(first->response_nonce(), "");
  EXPECT_FALSE(all.nextRequest().has_value());
}

TEST(SubscriptionTest, NothingIsAskedForByNameWithoutNames) {
  Subscription named(kType, Interest::Named);
  named.onStreamStarted();
  EXPECT_FALSE(named.nextRequest().has_value());
  named.subscribe("a");
  named.unsubscribe("a");
  EXPECT_FALSE(named.nextRequest().has_value());
  named.subscribe("b");
  named.subscribe("a");
  EXPECT_EQ(subscribed(*named.nextRequest()), (Names{"a", "b"}));
}

TEST(SubscriptionTest, NamesComeAndGo) {
  Subscription named(kType, Interest::Named);
  named.onStreamStarted();
  named.subscribe("a");
  named.subscribe("b");
  (void)named.nextRequest();
  named.unsubscribe("a");
  named.subscribe("c");
  const DeltaRequest changed = *named.nextRequest();
  EXPECT_EQ(subscribed(changed), Names{"c"});
  EXPECT_EQ(unsubscribed(changed), Names{"a"});
  EXPECT_FALSE(named.nextRequest().has_value());

  // Dropped and wanted again before anything was said: it must be sent anew.
  named.unsubscribe("b");
  named.subscribe("b");
  const DeltaRequest again = *named.nextRequest();
  EXPECT_EQ(subscribed(again), Names{"b"});
  EXPECT_TRUE(unsubscribed(again).empty());
}

TEST(SubscriptionTest, AnAnswerCarriesNonceAndNames) {
  Subscription named(kType, Interest::Named);
  named.onStreamStarted();
  named.subscribe("a");
  (void)named.nextRequest();
  const DeltaResponse response = responseWith("n1", {{"a", "1"}});
  const Update update = named.onResponse(response);
  ASSERT_EQ(update.changed.size(), 1u);
  EXPECT_EQ(update.changed[0].name, "a");
  EXPECT_EQ(update.changed[0].version, "1");
  EXPECT_TRUE(named.finish({}).empty());
  named.subscribe("b");
  const DeltaRequest ack = *named.nextRequest();
  EXPECT_EQ(ack.response_nonce(), "n1");
  EXPECT_FALSE(ack.has_error_detail());
  EXPECT_EQ(subscribed(ack), Names{"b"});
}

TEST(SubscriptionTest, EveryResponseIsAnsweredInOrderWhateverItsNonce) {
  Subscription all(kType, Interest::All);
  all.onStreamStarted();
  (void)all.nextRequest();
  const Names nonces = {"n1", "n1", "\x01 odd", std::string(5000, 'n')};
  for (const std::string& nonce : nonces) {
    const DeltaResponse response = responseWith(nonce, {});
    all.onResponse(response);  // answered below, all at once
    all.finish({});
  }
  for (const std::string& nonce : nonces) {
    EXPECT_EQ(all.nextRequest().value().response_nonce(), nonce);
  }
  EXPECT_FALSE(all.nextRequest().has_value());
}

TEST(SubscriptionTest, ANackNamesEachRefusedResourceAndTheRestIsInForce) {
  Subscription all(kType, Interest::All);
  all.onStreamStarted();
  (void)all.nextRequest();
  accept(all, responseWith("n1", {{"a", "1"}, {"b", "1"}}));
  const DeltaRequest nack = accept(all, responseWith("n2", {{"a", "2"}, {"b", "2"}, {"c", "2"}}),
                                   {errorAbout("b"), errorAbout("c")});
  EXPECT_EQ(nack.response_nonce(), "n2");
  EXPECT_EQ(nack.error_detail().code(), 3 /* INVALID_ARGUMENT */);
  EXPECT_EQ(nack.error_detail().message(), "b: a.b: is wrong; c: a.b: is wrong");
  ASSERT_EQ(nack.error_detail().details_size(), 2);
  ext::ResourceError detail;
  ASSERT_TRUE(nack.error_detail().details(0).UnpackTo(&detail));
  EXPECT_EQ(detail.name(), "b");
  EXPECT_EQ(versions(all), (std::map<std::string, std::string>{{"a", "2"}, {"b", "1"}}));
  EXPECT_EQ(all.acceptedCount(), 2u);
  EXPECT_EQ(all.held().at("b").last_error, "b: a.b: is wrong");
  EXPECT_EQ(all.held().at("c").version, "");

  // A good version clears the error.
  accept(all, responseWith("n3", {{"b", "3"}}));
  EXPECT_EQ(all.held().at("b").last_error, "");
}

TEST(SubscriptionTest, AManyFoldNackStaysReadable) {
  Subscription all(kType, Interest::All);
  all.onStreamStarted();
  (void)all.nextRequest();
  std::vector<Sent> sent;
  std::vector<ext::ResourceError> errors;
  for (int i = 0; i < 10; ++i) {
    sent.push_back({"r" + std::to_string(i), "1"});
    errors.push_back(errorAbout(sent.back().name));
  }
  const DeltaRequest nack = accept(all, responseWith("n", sent), errors);
  EXPECT_EQ(nack.error_detail().details_size(), 10);
  EXPECT_TRUE(nack.error_detail().message().ends_with("; and 7 more"))
      << nack.error_detail().message();
}

TEST(SubscriptionTest, WhatNothingWasAskedAboutIsNotAnswered) {
  Subscription named(kType, Interest::Named);
  named.onStreamStarted();
  for (const char* nonce : {"n1", "n2"}) {
    const DeltaResponse response = responseWith(nonce, {{"a", "1"}});
    EXPECT_TRUE(named.onResponse(response).changed.empty());
    EXPECT_TRUE(named.finish({}).empty());
  }
  EXPECT_EQ(named.answersDue(), 0u);
  EXPECT_FALSE(named.nextRequest().has_value());
  named.subscribe("a");
  EXPECT_EQ(named.nextRequest()->response_nonce(), "");
  EXPECT_EQ(accept(named, responseWith("n3", {{"a", "1"}})).response_nonce(), "n3");
}

TEST(SubscriptionTest, ANackFitsWhatServersTakeWhateverItIsAbout) {
  std::string umlauts = "a";  // so that the limits, even numbers, are inside of a letter
  for (int i = 0; i < 3000; ++i) umlauts += "\u00e4";
  const struct {
    const char* what;
    size_t errors;
    std::string name;
  } kCases[] = {
      {"very many", 50'000, "a resource"},
      {"large names", 10, std::string(700'000, 'x')},
      {"one enormous name", 1, std::string(5'000'000, 'x')},
      {"letters of two bytes", 3, umlauts},
  };
  for (const auto& c : kCases) {
    std::vector<ext::ResourceError> errors;
    for (size_t i = 0; i < c.errors; ++i) errors.push_back(errorAbout(c.name));
    DeltaRequest nack;
    setAnswer("n", errors, &nack);
    EXPECT_LT(nack.ByteSizeLong(), 3u << 20) << c.what;
    EXPECT_LE(nack.error_detail().message().size(), 4096u) << c.what;
    EXPECT_NE(nack.error_detail().message(), "") << c.what;
    // What protobuf could not read, a control plane would end the stream for.
    DeltaRequest heard;
    EXPECT_TRUE(heard.ParseFromString(nack.SerializeAsString())) << c.what;
  }
}

TEST(SubscriptionTest, AReconnectTellsWhatIsHeld) {
  Subscription all(kType, Interest::All);
  all.onStreamStarted();
  (void)all.nextRequest();
  accept(all, responseWith("n1", {{"a", "1"}, {"b", "1"}, {"c", "1"}}));
  accept(all, responseWith("n2", {{"b", "2"}, {"d", "2"}}, {"c"}), {errorAbout("d")});
  // An answer that was not sent belongs to the old stream.
  const DeltaResponse unanswered = responseWith("n3", {{"a", "3"}});
  all.onResponse(unanswered);
  all.finish({});
  all.onStreamStarted();
  const DeltaRequest first = *all.nextRequest();
  EXPECT_EQ(first.response_nonce(), "");
  EXPECT_TRUE(subscribed(first).empty());
  EXPECT_EQ(initial(first), (std::map<std::string, std::string>{{"a", "3"}, {"b", "2"}}));
  EXPECT_FALSE(all.nextRequest().has_value());
}

TEST(SubscriptionTest, AReconnectByNameAsksForAllNamesAgain) {
  Subscription named(kType, Interest::Named);
  named.onStreamStarted();
  named.subscribe("a");
  named.subscribe("b");
  named.subscribe("gone");
  (void)named.nextRequest();
  accept(named, responseWith("n1", {{"a", "1"}, {"gone", "1"}}));
  named.unsubscribe("gone");
  named.onStreamStarted();
  const DeltaRequest first = *named.nextRequest();
  EXPECT_EQ(subscribed(first), (Names{"a", "b"}));
  EXPECT_TRUE(unsubscribed(first).empty());
  EXPECT_EQ(initial(first), (std::map<std::string, std::string>{{"a", "1"}}));
}

TEST(SubscriptionTest, RemovalsAreToldWhereTheyMeanSomething) {
  Subscription all(kType, Interest::All);
  all.onStreamStarted();
  (void)all.nextRequest();
  accept(all, responseWith("n1", {{"a", "1"}}));
  const DeltaResponse removal = responseWith("n2", {}, {"a", "never-seen", "a"});
  EXPECT_EQ(all.onResponse(removal).removed, std::vector<std::string_view>{"a"});
  all.finish({});
  EXPECT_TRUE(versions(all).empty());

  Subscription named(kType, Interest::Named);
  named.onStreamStarted();
  named.subscribe("absent");
  (void)named.nextRequest();
  const DeltaResponse absent = responseWith("n1", {}, {"absent", "other"});
  EXPECT_EQ(named.onResponse(absent).removed, std::vector<std::string_view>{"absent"});
  named.finish({});
}

TEST(SubscriptionTest, WhatWasNotAskedForByNameIsLeftAlone) {
  Subscription named(kType, Interest::Named);
  named.onStreamStarted();
  named.subscribe("a");
  (void)named.nextRequest();
  const DeltaResponse response = responseWith("n1", {{"a", "1"}, {"other", "1"}});
  EXPECT_EQ(named.onResponse(response).changed.size(), 1u);
  EXPECT_TRUE(named.finish({}).empty());
  EXPECT_EQ(versions(named), (std::map<std::string, std::string>{{"a", "1"}}));
}

TEST(SubscriptionTest, AnEnvelopeThatIsWrongRefusesThatResourceOnly) {
  using Resource = envoy::service::discovery::v3::Resource;
  const struct {
    const char* what;
    std::function<void(DeltaResponse&, Resource&)> damage;
    const char* rule;
  } kCases[] = {
      {"no name", [](auto&, auto& r) { r.clear_name(); }, "required"},
      {"another type", [](auto&, auto& r) { r.mutable_resource()->set_type_url("x/y"); },
       "type_mismatch"},
      {"no resource", [](auto&, auto& r) { r.clear_resource(); }, "required"},
      {"expiry", [](auto&, auto& r) { r.mutable_ttl()->set_seconds(5); }, "unsupported_field"},
      {"a variant", [](auto&, auto& r) { r.mutable_resource_name()->set_name("bad"); },
       "unsupported_field"},
      {"twice", [](auto& response, auto& r) { *response.add_resources() = Resource(r); },
       "duplicate"},
      {"changed and removed", [](auto& response, auto&) { response.add_removed_resources("bad"); },
       "duplicate"},
  };
  for (const auto& c : kCases) {
    Subscription all(kType, Interest::All);
    all.onStreamStarted();
    (void)all.nextRequest();
    DeltaResponse response = responseWith("n1", {{"good", "1"}, {"bad", "1"}});
    Resource* bad = response.mutable_resources(1);
    c.damage(response, *bad);
    const Update update = all.onResponse(response);
    ASSERT_EQ(update.changed.size(), 1u) << c.what;
    EXPECT_EQ(update.changed[0].name, "good") << c.what;
    EXPECT_TRUE(update.removed.empty()) << c.what;
    const std::vector<ext::ResourceError> errors = all.finish({});
    ASSERT_EQ(errors.size(), 1u) << c.what;
    EXPECT_EQ(errors[0].rule(), c.rule) << c.what;
    EXPECT_EQ(errors[0].type_url(), kType) << c.what;
    EXPECT_EQ(versions(all), (std::map<std::string, std::string>{{"good", "1"}})) << c.what;
  }
}

TEST(SubscriptionTest, AHeartbeatOfWhatIsHeldChangesNothing) {
  Subscription all(kType, Interest::All);
  all.onStreamStarted();
  (void)all.nextRequest();
  accept(all, responseWith("n1", {{"a", "1"}}));
  DeltaResponse heartbeat = responseWith("n2", {{"a", "1"}});
  heartbeat.mutable_resources(0)->clear_resource();
  EXPECT_TRUE(all.onResponse(heartbeat).changed.empty());
  EXPECT_TRUE(all.finish({}).empty());
  EXPECT_EQ(versions(all), (std::map<std::string, std::string>{{"a", "1"}}));
}

}  // namespace
}  // namespace convoy::xds
