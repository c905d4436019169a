#include "controlplane/push/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "controlplane/compile/types.h"
#include "google/rpc/status.pb.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::push {
namespace {

using compile::Type;

const char* const kShort[] = {"C", "E", "L", "R", "S"};

Type typeOf(char letter) {
  for (const Type type : compile::kTypes) {
    if (*kShort[indexOf(type)] == letter) return type;
  }
  ADD_FAILURE() << letter;
  return Type::Cluster;
}

// "C:web@1 E:web@1 L:public@1=cert R:public@1 S:cert@1" as a view: the listener uses a secret.
compile::ViewPtr viewOf(const std::string& text, store::RevisionNumber revision = 1) {
  auto view = std::make_shared<compile::View>();
  view->revision = revision;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const size_t at = word.find('@');
    const size_t equals = std::min(word.find('='), word.size());
    const auto encoded = std::make_shared<compile::Encoded>(
        *compile::encodedElsewhere(word.substr(2, at - 2), word.substr(at + 1, equals - at - 1)));
    if (equals < word.size()) encoded->secrets = {word.substr(equals + 1)};
    view->resources[indexOf(typeOf(word[0]))].emplace(encoded->name, encoded);
  }
  return view;
}

// A client that answers when it is told to.
template <typename Request>
class Client {
 public:
  explicit Client(Protocol protocol) : session_(protocol) {}

  Session& session() { return session_; }

  // What is sent until the client has to answer: "C[web@1] L[-old]".
  std::string receive() {
    std::string out;
    while (std::optional<Response> response = session_.next()) {
      absl::StrAppend(&out, out.empty() ? "" : " ", kShort[indexOf(response->type)], "[");
      std::string items;
      for (const auto& resource : response->update.resources) {
        absl::StrAppend(&items, items.empty() ? "" : " ", resource->name, "@", resource->version);
      }
      for (const std::string& name : response->update.removed) {
        absl::StrAppend(&items, items.empty() ? "" : " ", "-", name);
      }
      absl::StrAppend(&out, items, "]");
      nonces_[indexOf(response->type)] = response->nonce;
    }
    return out;
  }

  Request request(char letter) const {
    Request out;
    out.mutable_node()->set_id("n1");
    out.set_type_url(std::string(typeUrl(typeOf(letter))));
    return out;
  }
  void send(const Request& request) {
    const absl::Status status = session_.onRequest(request);
    EXPECT_TRUE(status.ok()) << status;
  }
  // Subscribes without names.
  void all(char letter) { send(request(letter)); }
  Request answer(char letter) const {
    Request out = request(letter);
    out.set_response_nonce(nonces_[indexOf(typeOf(letter))]);
    return out;
  }
  void refuse(char letter, const std::vector<std::string>& names) {
    Request out = answer(letter);
    out.mutable_error_detail()->set_message("bad");
    for (const std::string& name : names) {
      ext::ResourceError error;
      error.set_name(name);
      out.mutable_error_detail()->add_details()->PackFrom(error);
    }
    // Details of other types do no harm.
    out.mutable_error_detail()->add_details()->PackFrom(google::rpc::Status());
    send(out);
  }

 protected:
  Session session_;
  std::string nonces_[compile::kTypeCount];
};

class DeltaClient : public Client<Session::DeltaRequest> {
 public:
  DeltaClient() : Client(Protocol::Delta) {}
  void accept(char letter) { send(answer(letter)); }
  void subscribe(char letter, const std::vector<std::string>& names,
                 const std::vector<std::string>& no_more = {}) {
    Session::DeltaRequest out = request(letter);
    for (const std::string& name : names) out.add_resource_names_subscribe(name);
    for (const std::string& name : no_more) out.add_resource_names_unsubscribe(name);
    send(out);
  }
};

class WholeClient : public Client<Session::Request> {
 public:
  WholeClient() : Client(Protocol::WholeState) {}
  void accept(char letter) { subscribe(letter, names_[letter]); }
  void subscribe(char letter, const std::vector<std::string>& names) {
    Session::Request out = answer(letter);
    for (const std::string& name : names) out.add_resource_names(name);
    names_[letter] = names;
    send(out);
  }

 private:
  std::map<char, std::vector<std::string>> names_;
};

// Brings a client up to a view of one listener, table, pool, as a proxy does it.
void bringUp(DeltaClient& client) {
  client.all('C');
  client.all('L');
  client.session().setView(viewOf("C:web@1 E:web@1 L:public@1 R:table@1"), nullptr);
  EXPECT_EQ(client.receive(), "C[web@1]");
  client.subscribe('E', {"web"});
  client.accept('C');
  EXPECT_EQ(client.receive(), "E[web@1]");
  client.accept('E');
  EXPECT_EQ(client.receive(), "L[public@1]");
  client.subscribe('R', {"table"});
  client.accept('L');
  EXPECT_EQ(client.receive(), "R[table@1]");
  EXPECT_FALSE(client.session().settled());
  client.accept('R');
  EXPECT_EQ(client.receive(), "");
  EXPECT_TRUE(client.session().settled());
}

TEST(SessionTest, WhatIsNamedComesBeforeWhatNamesIt) {
  DeltaClient client;
  bringUp(client);
}

TEST(SessionTest, KnowsWhatAClientWillAskForThatAcknowledgesFirst) {
  DeltaClient client;
  client.all('C');
  client.all('L');
  client.session().setView(viewOf("C:web@1 E:web@1 L:public@1 R:table@1"), nullptr);
  EXPECT_FALSE(client.session().expectsRequests());
  EXPECT_EQ(client.receive(), "C[web@1]");
  client.accept('C');
  EXPECT_EQ(client.receive(), "L[public@1]");
  client.accept('L');
  EXPECT_TRUE(client.session().settled());
  EXPECT_TRUE(client.session().expectsRequests());
  client.subscribe('E', {"web"});
  EXPECT_TRUE(client.session().expectsRequests());  // for the routes
  client.subscribe('R', {"table"});
  EXPECT_FALSE(client.session().expectsRequests());
  EXPECT_FALSE(client.session().settled());
}

TEST(SessionTest, ExpectsNothingMoreOfWhatIsGone) {
  DeltaClient client;
  client.all('C');
  client.session().setView(viewOf("C:web@1 E:web@1"), nullptr);
  EXPECT_EQ(client.receive(), "C[web@1]");
  client.accept('C');
  EXPECT_TRUE(client.session().expectsRequests());
  client.session().setView(viewOf("", 2), nullptr);
  EXPECT_FALSE(client.session().expectsRequests());
}

TEST(SessionTest, ExpectsNothingOfAClientThatAskedForAll) {
  DeltaClient client;
  client.all('C');
  client.all('E');
  client.session().setView(viewOf("C:web@1 E:web@1"), nullptr);
  EXPECT_EQ(client.receive(), "C[web@1] E[web@1]");
  EXPECT_FALSE(client.session().expectsRequests());
}

TEST(SessionTest, SecretsAreSentWhenTheyAreAskedFor) {
  DeltaClient client;
  client.all('C');
  client.all('L');
  const std::string view = "C:web@1=ca E:web@1 L:public@1=cert R:table@1 S:ca@1 S:cert@1";
  client.session().setView(viewOf(view), nullptr);
  EXPECT_EQ(client.receive(), "C[web@1]");
  EXPECT_TRUE(client.session().expectsRequests());
  client.subscribe('E', {"web"});
  client.subscribe('S', {"ca"});
  client.accept('C');
  EXPECT_EQ(client.receive(), "E[web@1] S[ca@1]");
  client.accept('E');
  EXPECT_EQ(client.receive(), "") << "what names a cluster waits for its secrets too";
  client.accept('S');
  EXPECT_EQ(client.receive(), "L[public@1]");
  client.subscribe('R', {"table"});
  client.accept('L');
  EXPECT_TRUE(client.session().expectsRequests());
  client.subscribe('S', {"cert"});
  EXPECT_FALSE(client.session().expectsRequests());
  EXPECT_EQ(client.receive(), "S[cert@1]");
  client.accept('S');
  EXPECT_EQ(client.receive(), "R[table@1]");
  client.accept('R');
  EXPECT_TRUE(client.session().settled());
}

TEST(SessionTest, ARenewedSecretIsSentAndNothingElse) {
  DeltaClient client;
  bringUp(client);
  client.session().setView(viewOf("C:web@1 E:web@1 L:public@2=cert R:table@1 S:cert@1", 2),
                           nullptr);
  EXPECT_EQ(client.receive(), "L[public@2]");
  client.accept('L');
  client.subscribe('S', {"cert"});
  EXPECT_EQ(client.receive(), "S[cert@1]");
  client.accept('S');
  client.session().setView(viewOf("C:web@1 E:web@1 L:public@2=cert R:table@1 S:cert@2", 3),
                           nullptr);
  EXPECT_EQ(client.receive(), "S[cert@2]");
  // Refused: shown, and not sent again until it changes.
  client.refuse('S', {"cert"});
  EXPECT_EQ(client.session().refusals().size(), 1u);
  client.session().setView(viewOf("C:web@1 E:web@1 L:public@2=cert R:table@1 S:cert@2", 4),
                           nullptr);
  EXPECT_EQ(client.receive(), "");
}

TEST(SessionTest, SecretsGoAfterWhatNamedThem) {
  DeltaClient client;
  bringUp(client);
  client.session().setView(
      viewOf("C:web@1=ca E:web@1 L:public@1 R:table@1 C:old@1=ca E:old@1 S:ca@1", 2), nullptr);
  EXPECT_EQ(client.receive(), "C[old@1]");
  client.subscribe('E', {"old"});
  client.subscribe('S', {"ca"});
  client.accept('C');
  EXPECT_EQ(client.receive(), "E[old@1] S[ca@1]");
  client.accept('E');
  client.accept('S');
  client.session().setView(viewOf("C:web@1 E:web@1 L:public@1 R:table@1", 3), nullptr);
  EXPECT_EQ(client.receive(), "C[-old] E[-old]");
  client.accept('E');
  EXPECT_EQ(client.receive(), "");
  client.accept('C');
  EXPECT_EQ(client.receive(), "S[-ca]");
}

TEST(SessionTest, SecretsOfOthersDoNotExist) {
  DeltaClient client;
  client.session().setView(viewOf("S:mine@1"), nullptr);
  client.subscribe('S', {"mine", "other"});
  EXPECT_EQ(client.receive(), "S[mine@1]");
  client.accept('S');
  EXPECT_EQ(client.receive(), "S[-other]");
  WholeClient whole;
  whole.session().setView(viewOf("S:mine@1"), nullptr);
  whole.subscribe('S', {"mine", "other"});
  EXPECT_EQ(whole.receive(), "S[mine@1]");
  whole.accept('S');
  whole.session().setView(viewOf("S:mine@2", 2), nullptr);
  EXPECT_EQ(whole.receive(), "S[mine@2]");
}

TEST(SessionTest, ChangesOfABackendTouchNothingElse) {
  DeltaClient client;
  bringUp(client);
  compile::ViewDifference changes;
  changes[indexOf(Type::Assignment)] = {"web"};
  client.session().setView(viewOf("C:web@1 E:web@2 L:public@1 R:table@1", 2), &changes);
  EXPECT_EQ(client.receive(), "E[web@2]");
  client.accept('E');
  EXPECT_TRUE(client.session().settled());
}

TEST(SessionTest, ARouteWaitsForItsNewCluster) {
  DeltaClient client;
  bringUp(client);
  client.session().setView(viewOf("C:web@1 C:new@1 E:web@1 E:new@1 L:public@1 R:table@2", 2),
                           nullptr);
  EXPECT_EQ(client.receive(), "C[new@1]");
  client.subscribe('E', {"new"});
  EXPECT_EQ(client.receive(), "E[new@1]");
  client.accept('C');
  EXPECT_EQ(client.receive(), "");
  client.accept('E');
  EXPECT_EQ(client.receive(), "R[table@2]");
}

TEST(SessionTest, ARouteDoesNotWaitForChangesOfWhatIsThere) {
  DeltaClient client;
  bringUp(client);
  client.session().setView(viewOf("C:web@2 E:web@2 L:public@2 R:table@2", 2), nullptr);
  EXPECT_EQ(client.receive(), "C[web@2] E[web@2] L[public@2] R[table@2]");
}

TEST(SessionTest, AClusterStaysUntilNothingNamesIt) {
  DeltaClient client;
  bringUp(client);
  client.session().setView(viewOf("C:other@1 E:other@1 L:public@1 R:table@2", 2), nullptr);
  EXPECT_EQ(client.receive(), "C[other@1]");
  client.subscribe('E', {"other"});
  client.accept('C');
  EXPECT_EQ(client.receive(), "E[other@1]");
  client.accept('E');
  EXPECT_EQ(client.receive(), "R[table@2]");
  client.accept('R');
  EXPECT_EQ(client.receive(), "C[-web] E[-web]");
  client.subscribe('E', {}, {"web"});
  client.accept('C');
  client.accept('E');
  EXPECT_TRUE(client.session().settled());
}

TEST(SessionTest, RemovalsGoTheOtherWayRound) {
  DeltaClient client;
  bringUp(client);
  client.session().setView(viewOf("", 2), nullptr);
  EXPECT_EQ(client.receive(), "L[-public] R[-table]");
  client.accept('L');
  EXPECT_EQ(client.receive(), "");
  client.accept('R');
  EXPECT_EQ(client.receive(), "C[-web] E[-web]");
}

TEST(SessionTest, OneResponseOfATypeIsInFlightAndTheNewestViewCounts) {
  DeltaClient client;
  bringUp(client);
  client.session().setView(viewOf("C:web@2 E:web@1 L:public@1 R:table@1", 2), nullptr);
  EXPECT_EQ(client.receive(), "C[web@2] E[web@1]");
  client.session().setView(viewOf("C:web@3 E:web@1 L:public@1 R:table@1", 3), nullptr);
  client.session().setView(viewOf("C:web@4 E:web@1 L:public@1 R:table@1", 4), nullptr);
  EXPECT_EQ(client.receive(), "");
  client.accept('C');
  EXPECT_EQ(client.receive(), "C[web@4]");
}

// Envoy does not serve from a changed cluster before it is told its endpoints, even the same ones.
TEST(SessionTest, AChangedClusterGetsItsEndpointsAgain) {
  DeltaClient client;
  bringUp(client);
  client.session().setView(viewOf("C:web@2 E:web@1 L:public@1 R:table@2", 2), nullptr);
  EXPECT_EQ(client.receive(), "C[web@2] E[web@1] R[table@2]");
  client.accept('C');
  client.accept('E');
  client.accept('R');
  EXPECT_TRUE(client.session().settled());
  EXPECT_EQ(client.receive(), "");
}

TEST(SessionTest, AnswersToOlderResponsesDoNotCount) {
  DeltaClient client;
  bringUp(client);
  client.session().setView(viewOf("C:web@2 E:web@1 L:public@1 R:table@1", 2), nullptr);
  EXPECT_EQ(client.receive(), "C[web@2] E[web@1]");
  Session::DeltaRequest stale = client.request('C');
  stale.set_response_nonce("1");
  // Its subscription counts nevertheless.
  stale.add_resource_names_subscribe("missing");
  client.send(stale);
  EXPECT_EQ(client.receive(), "");
  EXPECT_FALSE(client.session().settled());
  client.accept('C');
  EXPECT_EQ(client.receive(), "C[-missing]");
}

TEST(SessionTest, RefusedResourcesAreKnownByName) {
  DeltaClient client;
  bringUp(client);
  client.session().setView(viewOf("C:web@2 C:bad@1 E:web@1 L:public@1 R:table@2", 7), nullptr);
  EXPECT_EQ(client.receive(), "C[bad@1 web@2] E[web@1]");
  client.refuse('C', {"bad"});
  // A refusal is an answer: what waits goes on.
  EXPECT_EQ(client.receive(), "R[table@2]");
  client.accept('E');
  client.accept('R');
  EXPECT_TRUE(client.session().settled());
  ASSERT_EQ(client.session().refusals().size(), 1u);
  EXPECT_EQ(client.session().refusals()[0].error.name(), "bad");
  EXPECT_EQ(client.session().refusals()[0].revision, 7);
}

TEST(SessionTest, WhoComesBackGetsOnlyTheDifference) {
  DeltaClient client;
  Session::DeltaRequest clusters = client.request('C');
  (*clusters.mutable_initial_resource_versions())["web"] = "1";
  (*clusters.mutable_initial_resource_versions())["gone"] = "1";
  client.send(clusters);
  Session::DeltaRequest endpoints = client.request('E');
  endpoints.add_resource_names_subscribe("web");
  (*endpoints.mutable_initial_resource_versions())["web"] = "1";
  client.send(endpoints);
  client.all('L');
  client.session().setView(viewOf("C:web@1 E:web@2 L:public@1 R:table@1"), nullptr);
  // The empty answer says that there is nothing more to wait for.
  EXPECT_EQ(client.receive(), "C[] E[web@2] L[public@1]");
  client.accept('L');
  client.accept('C');
  client.accept('E');
  EXPECT_EQ(client.receive(), "C[-gone]");
}

TEST(SessionTest, AnEmptyStoreTakesNothingFromWhoComesBack) {
  DeltaClient client;
  for (const char letter : {'C', 'L'}) {
    Session::DeltaRequest request = client.request(letter);
    (*request.mutable_initial_resource_versions())["web"] = "1";
    client.send(request);
  }
  client.session().setView(viewOf("", 0), nullptr);
  EXPECT_TRUE(client.session().keepsOthers());
  EXPECT_EQ(client.receive(), "C[] L[]");
  client.accept('C');
  client.accept('L');
  EXPECT_EQ(client.receive(), "");
  EXPECT_FALSE(client.session().settled()) << "it serves something else";
  client.session().setView(viewOf("C:web@2", 1), nullptr);
  EXPECT_FALSE(client.session().keepsOthers());
  EXPECT_EQ(client.receive(), "C[web@2] L[-web]");
}

TEST(SessionTest, AnEmptyStoreIsInForceWhereNothingElseWas) {
  DeltaClient client;
  client.all('C');
  client.subscribe('E', {"web"});
  client.session().setView(viewOf("", 0), nullptr);
  EXPECT_FALSE(client.session().keepsOthers());
  EXPECT_EQ(client.receive(), "C[] E[-web]");
}

TEST(SessionTest, StarsInDelta) {
  DeltaClient client;
  client.subscribe('C', {"*", "named"});
  client.session().setView(viewOf("C:a@1"), nullptr);
  EXPECT_EQ(client.receive(), "C[a@1]");
  client.accept('C');
  EXPECT_EQ(client.receive(), "C[-named]");
  client.accept('C');
  client.subscribe('C', {}, {"*"});
  client.session().setView(viewOf("C:a@2 C:named@1", 2), nullptr);
  EXPECT_EQ(client.receive(), "C[named@1]");
  client.accept('C');
  client.subscribe('C', {}, {"named"});
  client.session().setView(viewOf("C:a@3 C:named@2", 3), nullptr);
  EXPECT_EQ(client.receive(), "");
}

TEST(SessionTest, TypesThatWeDoNotServeAreLeftUnanswered) {
  DeltaClient client;
  Session::DeltaRequest request;
  request.mutable_node()->set_id("n1");
  request.set_type_url("type.googleapis.com/envoy.service.runtime.v3.Runtime");
  client.send(request);
  client.session().setView(viewOf("C:a@1"), nullptr);
  EXPECT_EQ(client.receive(), "");
  EXPECT_TRUE(client.session().settled());
  WholeClient whole;
  Session::Request other;
  other.mutable_node()->set_id("n1");
  other.set_type_url("nothing");
  whole.send(other);
  EXPECT_EQ(whole.receive(), "");
}

TEST(SessionTest, StreamsNeedANodeThatStaysTheSame) {
  Session session(Protocol::Delta);
  EXPECT_TRUE(absl::IsInvalidArgument(session.onRequest(Session::DeltaRequest())));
  EXPECT_EQ(session.node(), nullptr);
  DeltaClient client;
  client.all('C');
  ASSERT_NE(client.session().node(), nullptr);
  EXPECT_EQ(client.session().node()->id, "n1");
  Session::DeltaRequest other = client.request('C');
  other.mutable_node()->set_id("n2");
  EXPECT_TRUE(absl::IsInvalidArgument(client.session().onRequest(other)));
  WholeClient whole;
  EXPECT_TRUE(absl::IsInvalidArgument(whole.session().onRequest(Session::Request())));
}

TEST(SessionTest, TheNewestReportCounts) {
  DeltaClient client;
  client.all('C');
  EXPECT_FALSE(client.session().report().has_value());
  for (const char* lifecycle : {"LIFECYCLE_LIVE", "LIFECYCLE_DRAINING"}) {
    Session::DeltaRequest request = client.request('C');
    auto& report =
        (*request.mutable_node()->mutable_metadata()->mutable_fields())["convoy.ext.NodeReport"];
    (*report.mutable_struct_value()->mutable_fields())["lifecycle"].set_string_value(lifecycle);
    client.send(request);
  }
  EXPECT_EQ(client.session().report()->lifecycle(), ext::NodeReport::LIFECYCLE_DRAINING);
}

TEST(SessionTest, WholeStateFollowsTheSameOrder) {
  WholeClient client;
  client.subscribe('C', {});
  client.subscribe('L', {});
  client.session().setView(viewOf("C:web@1 E:web@1 L:public@1 R:table@1"), nullptr);
  EXPECT_EQ(client.receive(), "C[web@1]");
  client.subscribe('E', {"web"});
  client.accept('C');
  EXPECT_EQ(client.receive(), "E[web@1]");
  client.accept('E');
  EXPECT_EQ(client.receive(), "L[public@1]");
  client.subscribe('R', {"table"});
  client.accept('L');
  EXPECT_EQ(client.receive(), "R[table@1]");
  client.accept('R');
  EXPECT_TRUE(client.session().settled());

  // The route moves to another cluster: the old one stays until it has.
  client.session().setView(viewOf("C:new@1 E:new@1 L:public@1 R:table@2", 2), nullptr);
  EXPECT_EQ(client.receive(), "C[new@1 web@1]");
  client.subscribe('E', {"web", "new"});
  client.accept('C');
  EXPECT_EQ(client.receive(), "E[new@1]");
  client.accept('E');
  EXPECT_EQ(client.receive(), "R[table@2]");
  client.accept('R');
  EXPECT_EQ(client.receive(), "C[new@1]");
  client.subscribe('E', {"new"});
  client.accept('C');
  EXPECT_EQ(client.receive(), "");
  EXPECT_TRUE(client.session().settled());
}

TEST(SessionTest, WholeStateIgnoresRequestsWithOldNonces) {
  WholeClient client;
  client.subscribe('E', {"a"});
  client.session().setView(viewOf("E:a@1 E:b@1"), nullptr);
  EXPECT_EQ(client.receive(), "E[a@1]");
  Session::Request stale = client.request('E');
  stale.add_resource_names("b");
  client.send(stale);  // was sent before the response arrived
  EXPECT_EQ(client.receive(), "");
  client.subscribe('E', {"a", "b"});
  EXPECT_EQ(client.receive(), "E[b@1]");
}

TEST(SessionTest, WholeStateRefusals) {
  WholeClient client;
  client.subscribe('C', {});
  client.session().setView(viewOf("C:a@1 C:b@1"), nullptr);
  EXPECT_EQ(client.receive(), "C[a@1 b@1]");
  client.refuse('C', {});
  ASSERT_EQ(client.session().refusals().size(), 1u);
  EXPECT_EQ(client.session().refusals()[0].error.reason(), "bad");
  EXPECT_EQ(client.receive(), "");
}

TEST(SessionTest, WholeStateStars) {
  WholeClient client;
  client.subscribe('C', {"*"});
  client.session().setView(viewOf("C:a@1 C:b@1"), nullptr);
  EXPECT_EQ(client.receive(), "C[a@1 b@1]");
  client.subscribe('C', {"a"});
  client.session().setView(viewOf("C:a@2 C:b@2", 2), nullptr);
  EXPECT_EQ(client.receive(), "C[a@2]");
}

}  // namespace
}  // namespace convoy::controlplane::push
