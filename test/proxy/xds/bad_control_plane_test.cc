// A control plane that is broken, hostile or away: whatever it does, the node keeps what it has,
// counts what happened, says why there is no stream, comes back after a while, and takes the next
// good configuration.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "proxy/admin/stats.h"
#include "test/common/raw_socket.h"
#include "test/proxy/xds/ads_fixture.h"

namespace convoy::xds {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::string_literals::operator""s;
using Response = test::XdsServer::Response;

class BadControlPlaneTest : public AdsFixture {
 protected:
  static constexpr size_t kMostBytes = 100'000;

  // Serves a listener to a cluster with endpoints.
  [[nodiscard]] bool serving() {
    server->set("web", edsCluster("web"));
    server->set("web", assignment("web", {8001, 8002}));
    server->set("public", inlineListener("public", {"web"}));
    AdsOptions small = options();
    small.max_response_bytes = kMostBytes;
    start(small);
    return until([&] { return initialized > 0; }) && untilSettled();
  }
  void expectEverythingInForce(const std::string& what) {
    EXPECT_EQ(sink.listeners.count("public"), 1u) << what;
    EXPECT_EQ(sink.clusters.count("web"), 1u) << what;
    ASSERT_EQ(sink.endpoints.count("web"), 1u) << what;
    EXPECT_EQ(sink.endpoints["web"]->localities.at(0).endpoints.size(), 2u) << what;
  }
  uint64_t stat(const std::string& name) {
    const std::string text = admin::renderStats(registry, name);
    const size_t at = text.find(name + ": ");
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + name.size() + 2));
  }
  // Time passes until there is another stream on which all is said.
  [[nodiscard]] bool untilBack() {
    const size_t streams = server->streams();
    for (int i = 0; i < 400 && state() != AdsStatus::State::Active; ++i) {
      clock.advance(milliseconds(100));
      test_loop.runReady();
    }
    return untilSettled(streams + 1) && state() == AdsStatus::State::Active;
  }
  void expectTheNextGoodOneApplies(const std::string& what) {
    const std::string name = "good-" + std::to_string(++good_);
    server->set(name, staticCluster(name));
    server->push();
    EXPECT_TRUE(until([&] { return sink.clusters.contains(name); })) << what;
    EXPECT_TRUE(untilSettled()) << what;
  }
  // Raw bytes of the body, on the last stream.
  void sendBody(std::string_view bytes) {
    server->transport().peer(server->last().connection).sendRaw(server->last().id, bytes);
    server->transport().flush();
  }

  int good_ = 0;
};

Response clustersNamed(const std::vector<std::string>& names) {
  Response response;
  response.set_type_url(config::kClusterType);
  response.set_nonce("bad");
  for (const std::string& name : names) {
    auto* resource = response.add_resources();
    resource->set_name(name);
    resource->set_version("bad");
    resource->mutable_resource()->PackFrom(staticCluster(name));
  }
  return response;
}

TEST_F(BadControlPlaneTest, WhatEndsTheStreamChangesNothingAndIsCounted) {
  ASSERT_TRUE(serving());
  const auto finish = [&](int code, const char* text) { server->endStream(code, text); };
  const auto raw = [&](const char* bytes) {
    server->transport().writeRaw(server->last().connection, bytes);
  };
  Response no_nonce = clustersNamed({"web"});
  no_nonce.clear_nonce();
  const struct {
    const char* what;
    std::function<void()> act;
    const char* says;
    bool garbage = false;
    bool too_large = false;
  } kCases[] = {
      {"no protobuf", [&] { server->sendMessage("\xff\xff\xff"); }, "is no envoy.service", true},
      {"half a protobuf",
       [&] { server->sendMessage(clustersNamed({"web"}).SerializeAsString().substr(0, 40)); },
       "is no envoy.service", true},
      {"text", [&] { server->sendMessage("HTTP/1.1 200 OK\r\n\r\n"); }, "is no envoy", true},
      {"a nonce that is no UTF-8", [&] { server->sendMessage("\x2a\x02\xc3\x28"); }, "is no envoy",
       true},
      {"no nonce", [&] { server->sendResponse(no_nonce); }, "has no nonce", true},
      {"an empty message", [&] { server->sendMessage(""); }, "has no nonce", true},
      {"a message above the limit", [&] { server->sendMessage(std::string(kMostBytes + 1, 'x')); },
       "at most 100000 are accepted", true, true},
      {"the announcement of 4 GiB", [&] { sendBody("\0\xff\xff\xff\xff"s); }, "4294967295 bytes",
       true, true},
      {"a compressed message", [&] { sendBody("\1\0\0\0\1x"s); }, "compressed", true},
      {"an unknown flag", [&] { sendBody("\x7f\0\0\0\1x"s); }, "compressed flag is 127", true},
      {"an error", [&] { finish(13, "crashed"); }, "crashed"},
      {"an error with lines in it", [&] { finish(2, "one%0Atwo"); }, "one\ntwo"},
      {"an unknown code", [&] { finish(4711, "odd"); }, "odd"},
      {"a server's quota", [&] { finish(8, "too many nodes"); }, "too many nodes"},
      {"an end in good order", [&] { finish(0, ""); }, "ended the stream"},
      {"no such service", [&] { finish(12, ""); }, "probably it is not an xDS port"},
      {"no such service, in words", [&] { finish(12, "unknown service"); },
       "unknown service; whoever answers there has no delta ADS"},
      {"a reset", [&] { server->resetStream(NGHTTP2_INTERNAL_ERROR); }, "reset"},
      {"a refusal", [&] { server->resetStream(NGHTTP2_REFUSED_STREAM); }, "reset"},
      {"a reset without an error", [&] { server->resetStream(NGHTTP2_NO_ERROR); }, "grpc-status"},
      {"a closed connection", [&] { server->closeConnection(); }, "closed the connection"},
      {"a reset connection", [&] { server->closeConnection(true); }, "reset the connection"},
      {"bytes that are no HTTP/2", [&] { raw("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"); },
       "broke HTTP/2", true},
      {"HTTP/1", [&] { raw("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"); },
       "broke HTTP/2", true},
  };
  for (const auto& c : kCases) {
    const uint64_t failures = stat("control_plane.stream_failure");
    const uint64_t garbage = stat("control_plane.garbage");
    const uint64_t too_large = stat("control_plane.response_too_large");
    const int applies = sink.applies;
    c.act();
    ASSERT_TRUE(until([&] { return state() == AdsStatus::State::Backoff; })) << c.what;
    EXPECT_EQ(stat("control_plane.stream_failure"), failures + 1) << c.what;
    EXPECT_EQ(stat("control_plane.garbage"), garbage + (c.garbage ? 1 : 0)) << c.what;
    EXPECT_EQ(stat("control_plane.response_too_large"), too_large + (c.too_large ? 1 : 0))
        << c.what;
    EXPECT_EQ(stat("control_plane.connected_state"), 0u) << c.what;
    EXPECT_NE(ads->status().last_stream_error.find(c.says), std::string::npos)
        << c.what << ": " << ads->status().last_stream_error;
    EXPECT_EQ(sink.applies, applies) << c.what;
    expectEverythingInForce(c.what);
    ASSERT_TRUE(untilBack()) << c.what;
    EXPECT_EQ(stat("control_plane.connected_state"), 1u) << c.what;
    // It told what it holds, and was sent nothing of it again.
    EXPECT_EQ(server->type(config::kClusterType).initial.count("web"), 1u) << c.what;
    EXPECT_EQ(sink.applies, applies) << c.what;
    expectTheNextGoodOneApplies(c.what);
  }
}

TEST_F(BadControlPlaneTest, WhatMakesNoSenseIsRefusedByNameAndTheStreamGoesOn) {
  ASSERT_TRUE(serving());
  Response unknown = clustersNamed({"web"});
  unknown.set_type_url("type.googleapis.com/envoy.service.runtime.v3.Runtime");
  Response no_type = clustersNamed({"web"});
  no_type.clear_type_url();
  Response other_inside = clustersNamed({"web"});
  other_inside.mutable_resources(0)->mutable_resource()->PackFrom(inlineListener("web", {}));
  Response malformed = clustersNamed({"web"});
  malformed.mutable_resources(0)->mutable_resource()->set_value("\xff\xff");
  Response nothing_inside = clustersNamed({"web"});
  nothing_inside.mutable_resources(0)->clear_resource();
  Response other_name = clustersNamed({"web"});
  other_name.mutable_resources(0)->mutable_resource()->PackFrom(staticCluster("other"));
  Response removed_too = clustersNamed({"web"});
  removed_too.add_removed_resources("web");
  Response one_good = clustersNamed({"", "another"});
  const struct {
    const char* what;
    Response response;
    std::vector<std::string> refused;  // names
    bool unknown_type = false;
  } kCases[] = {
      {"a type that nobody asked for", unknown, {""}, true},
      {"no type", no_type, {""}, true},
      {"another type inside", other_inside, {"web"}},
      {"no protobuf inside", malformed, {"web"}},
      {"nothing inside", nothing_inside, {"web"}},
      {"another name inside", other_name, {"web"}},
      {"a name twice", clustersNamed({"web", "web"}), {"web"}},
      {"a name three times", clustersNamed({"web", "web", "web"}), {"web"}},
      {"a name changed and removed", removed_too, {"web"}},
      {"no name", clustersNamed({""}), {""}},
      {"no name, twice", clustersNamed({"", ""}), {""}},
      {"no name beside a good one", one_good, {""}},
  };
  for (const auto& c : kCases) {
    const uint64_t unknown_types = stat("control_plane.unknown_type");
    const uint64_t rejected = stat("cluster_manager.cds.update_rejected");
    const size_t nacks = server->type(c.response.type_url()).nacks.size();
    server->sendResponse(c.response);
    ASSERT_TRUE(untilSettled()) << c.what;
    const auto& now = server->type(c.response.type_url()).nacks;
    ASSERT_EQ(now.size(), nacks + 1) << c.what;
    std::vector<std::string> names;
    for (const ext::ResourceError& error : now.back().errors) names.push_back(error.name());
    EXPECT_EQ(names, c.refused) << c.what;
    EXPECT_NE(now.back().message, "") << c.what;
    EXPECT_EQ(stat("control_plane.unknown_type"), unknown_types + (c.unknown_type ? 1 : 0))
        << c.what;
    EXPECT_EQ(stat("cluster_manager.cds.update_rejected"), rejected + (c.unknown_type ? 0 : 1))
        << c.what;
    EXPECT_EQ(state(), AdsStatus::State::Active) << c.what;
    expectEverythingInForce(c.what);
    expectTheNextGoodOneApplies(c.what);
  }
  EXPECT_EQ(server->streams(), 1u);
  EXPECT_EQ(sink.clusters.count("another"), 1u);
}

TEST_F(BadControlPlaneTest, OddButHarmlessResponsesAreAcknowledged) {
  ASSERT_TRUE(serving());
  Response unknown_removed = clustersNamed({});
  unknown_removed.add_removed_resources("never");
  unknown_removed.add_removed_resources("never");
  unknown_removed.add_removed_resources("");
  Response not_asked = clustersNamed({});
  not_asked.set_type_url(config::kAssignmentType);
  auto* stray = not_asked.add_resources();
  stray->set_name("stray");
  stray->mutable_resource()->PackFrom(assignment("stray", {1}));
  Response long_nonce = clustersNamed({});
  long_nonce.set_nonce(std::string(50'000, 'n'));
  const struct {
    const char* what;
    Response response;
  } kCases[] = {
      {"nothing at all", clustersNamed({})},
      {"removals of what is not there", unknown_removed},
      {"endpoints that nobody asked for", not_asked},
      {"a nonce that was used before", clustersNamed({})},
      {"a very long nonce", long_nonce},
  };
  for (const auto& c : kCases) {
    const size_t acks = server->type(c.response.type_url()).acks.size();
    server->sendResponse(c.response);
    ASSERT_TRUE(untilSettled()) << c.what;
    EXPECT_EQ(server->type(c.response.type_url()).acks.size(), acks + 1) << c.what;
    EXPECT_TRUE(server->type(c.response.type_url()).stray_nonces.empty()) << c.what;
    EXPECT_EQ(server->type(c.response.type_url()).acks.back(), c.response.nonce()) << c.what;
    expectEverythingInForce(c.what);
    EXPECT_EQ(sink.endpoints.count("stray"), 0u) << c.what;
    expectTheNextGoodOneApplies(c.what);
  }
  EXPECT_EQ(server->streams(), 1u);
}

TEST_F(BadControlPlaneTest, TrailersInPlaceOfAStreamAreWaitedOut) {
  ASSERT_TRUE(serving());
  const struct {
    const char* what;
    test::GrpcPeer::Headers headers;
    const char* says;
  } kCases[] = {
      {"a gRPC error",
       {{":status", "200"},
        {"content-type", "application/grpc"},
        {"grpc-status", "14"},
        {"grpc-message", "starting%0Aup"}},
       "starting"},
      {"no such service",
       {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "12"}},
       "UNIMPLEMENTED"},
      {"an HTTP error", {{":status", "503"}, {"content-type", "text/html"}}, "HTTP status 503"},
      {"a web server", {{":status", "200"}, {"content-type", "text/html"}}, "no gRPC server"},
      {"a redirect", {{":status", "301"}, {"location", "https://elsewhere.test/"}}, "status 301"},
  };
  for (const auto& c : kCases) {
    const size_t streams = server->streams();
    server->fallSilent();
    server->closeConnection();
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(until([&] { return state() == AdsStatus::State::Backoff; })) << c.what;
      for (int k = 0; k < 400 && state() == AdsStatus::State::Backoff; ++k) {
        clock.advance(milliseconds(100));
      }
      ASSERT_TRUE(until([&] { return server->streams() == streams + 1 + static_cast<size_t>(i); }))
          << c.what;
      server->transport()
          .peer(server->last().connection)
          .answer(server->last().id, c.headers, /*end_stream=*/true);
      server->transport().flush();
    }
    ASSERT_TRUE(until([&] { return state() == AdsStatus::State::Backoff; })) << c.what;
    EXPECT_NE(ads->status().last_stream_error.find(c.says), std::string::npos)
        << c.what << ": " << ads->status().last_stream_error;
    expectEverythingInForce(c.what);
    server->speakAgain();
    ASSERT_TRUE(untilBack()) << c.what;
    expectTheNextGoodOneApplies(c.what);
  }
}

TEST_F(BadControlPlaneTest, AGoAwayLeavesTheStreamAloneUntilItEnds) {
  ASSERT_TRUE(serving());
  server->goAway();
  ASSERT_TRUE(until([&] { return client->connectedTo() == nullptr; }));
  EXPECT_EQ(state(), AdsStatus::State::Active);
  expectTheNextGoodOneApplies("while it goes");
  server->closeConnection();
  ASSERT_TRUE(until([&] { return state() == AdsStatus::State::Backoff; }));
  ASSERT_TRUE(untilBack());
  expectEverythingInForce("afterwards");
  expectTheNextGoodOneApplies("afterwards");
}

TEST_F(BadControlPlaneTest, AResponseThatDripsInByteByByteIsTaken) {
  ASSERT_TRUE(serving());
  const std::string message = clustersNamed({"drip"}).SerializeAsString();
  std::string body("\0\0\0\0", 4);
  ASSERT_LT(message.size(), 256u);
  body.push_back(static_cast<char>(message.size()));
  body += message;
  for (const char byte : body) {
    EXPECT_EQ(sink.clusters.count("drip"), 0u);
    sendBody({&byte, 1});
    clock.advance(seconds(1));
    test_loop.runReady();
  }
  ASSERT_TRUE(until([&] { return sink.clusters.contains("drip"); }));
  EXPECT_EQ(state(), AdsStatus::State::Active);
  expectEverythingInForce("afterwards");
}

TEST_F(BadControlPlaneTest, AHalfOpenAddressIsLeftForTheNextOne) {
  server->set("web", staticCluster("web"));
  // The kernel accepts for a process that does not.
  const test::RawSocket mute = test::RawSocket::listening();
  client = std::make_unique<grpc::Client>(
      loop, grpc::ClientOptions{.addresses = {mute.localAddress(), server->address()},
                                .authority = "xds"});
  ads = std::make_unique<AdsClient>(loop, *client, options(), sink, registry);
  ads->start();
  ASSERT_TRUE(until([&] { return client->connectedTo() != nullptr; }));
  clock.advance(seconds(5));
  ASSERT_TRUE(until([&] { return state() == AdsStatus::State::Backoff; }));
  EXPECT_NE(ads->status().last_stream_error.find("said nothing"), std::string::npos)
      << ads->status().last_stream_error;
  ASSERT_TRUE(untilBack());
  EXPECT_EQ(sink.clusters.count("web"), 1u);
}

TEST_F(BadControlPlaneTest, AnAddressThatRefusesIsTriedAgain) {
  ASSERT_TRUE(serving());
  server->stopListening();
  server->closeConnection();
  ASSERT_TRUE(until([&] { return state() == AdsStatus::State::Backoff; }));
  const uint64_t attempts = stat("control_plane.connect_attempt");
  for (int i = 0; i < 1200; ++i) {
    clock.advance(milliseconds(100));
    ASSERT_TRUE(until([&] { return state() == AdsStatus::State::Backoff; }));
  }
  // Two minutes of waits below 0.5, 1, 2 ... 30 s: a handful of attempts, not hundreds.
  EXPECT_GE(stat("control_plane.connect_attempt"), attempts + 4);
  EXPECT_LE(stat("control_plane.connect_attempt"), attempts + 40);
  EXPECT_NE(ads->status().last_stream_error.find("refused"), std::string::npos);
  expectEverythingInForce("meanwhile");
  server->listenAgain();
  ASSERT_TRUE(untilBack());
  expectTheNextGoodOneApplies("afterwards");
}

TEST_F(BadControlPlaneTest, WhoSendsWithoutReadingIsLeft) {
  server->transport().settings.initial_window = 100;  // enough for the first words
  start();
  ASSERT_TRUE(until([&] { return server->transport().accepted() == 1; }));
  ASSERT_TRUE(until([&] { return !server->transport().peer(0).calls().empty(); }));
  Response response = clustersNamed({});
  response.set_nonce(std::string(50'000, 'n'));
  int sent = 0;
  for (; sent < 3000 && state() != AdsStatus::State::Backoff; ++sent) {
    if (sent == 40) response.set_nonce("short");
    server->transport().peer(0).send(server->transport().peer(0).calls()[0],
                                     response.SerializeAsString());
    server->transport().flush();
    test_loop.runReady();
  }
  EXPECT_GT(sent, 1000);
  EXPECT_EQ(state(), AdsStatus::State::Backoff);
  EXPECT_NE(ads->status().last_stream_error.find("reads no answer"), std::string::npos);
  EXPECT_EQ(stat("control_plane.garbage"), 1u);
}

TEST_F(BadControlPlaneTest, ManyBadResourcesMakeOneAnswerThatAServerCanTake) {
  AdsOptions wide = options();
  start(wide);
  ASSERT_TRUE(until([&] { return initialized > 0; }));
  Response many;
  many.set_type_url(config::kClusterType);
  many.set_nonce("many");
  ClusterProto bad = staticCluster("");
  bad.mutable_connect_timeout()->set_seconds(-1);
  constexpr int kMany = 20'000;
  for (int i = 0; i < kMany; ++i) {
    bad.set_name("cluster-" + std::to_string(i));
    auto* resource = many.add_resources();
    resource->set_name(bad.name());
    resource->mutable_resource()->PackFrom(bad);
  }
  server->sendResponse(many);
  ASSERT_TRUE(untilSettled());
  EXPECT_EQ(server->type(config::kClusterType).nacks.size(), 1u);
  EXPECT_LT(server->last().requests.back().ByteSizeLong(), 3u << 20);
  EXPECT_EQ(stat("cluster_manager.cds.resource_rejected"), static_cast<uint64_t>(kMany));
  expectTheNextGoodOneApplies("afterwards");
}

}  // namespace
}  // namespace convoy::xds
