// The control plane as a whole, over its real sockets.

#include "controlplane/server.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "controlplane/validate/xds_check.h"
#include "google/rpc/status.pb.h"
#include "test/controlplane/common/control_plane_fixture.h"

namespace convoy::controlplane {
namespace {

using ServerTest = ControlPlaneTest;

TEST_F(ServerTest, TenLinesReachANode) {
  auto proxy = node("n1");
  v1::ApplyRequest request;
  *request.mutable_config() = parse<v1::Config>(kTenLines);
  request.mutable_wait()->set_seconds(10);
  v1::ApplyResponse response;
  const grpc::Status status = apply(request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.revision().number(), 1);
  EXPECT_EQ(response.revision().change_count(), 4);
  EXPECT_TRUE(proxy->waitFor("RouteConfiguration/listener/public"));
  EXPECT_TRUE(proxy->waitFor("Listener/public"));
  EXPECT_TRUE(proxy->waitFor("ClusterLoadAssignment/web"));
  EXPECT_TRUE(proxy->waitFor("Cluster/web"));
}

TEST_F(ServerTest, WaitTellsWhatEachNodeMadeOfIt) {
  auto good = node("good");
  auto bad = node("bad");
  bad->refuse("web");
  ASSERT_TRUE(apply(kTenLines).ok());
  ASSERT_TRUE(good->waitFor("RouteConfiguration/listener/public"));
  ASSERT_TRUE(bad->waitFor("RouteConfiguration/listener/public"));
  v1::ApplyRequest request;
  *request.mutable_config() =
      parse<v1::Config>(R"(pools { name: "web" algorithm: ALGORITHM_ROUND_ROBIN })");
  request.mutable_wait()->set_seconds(10);
  v1::ApplyResponse response;
  ASSERT_TRUE(apply(request, &response).ok());
  ASSERT_EQ(response.nodes_size(), 2);
  EXPECT_EQ(response.nodes(0).id(), "bad");
  EXPECT_EQ(response.nodes(0).state(), v1::Node::REFUSING);
  ASSERT_EQ(response.nodes(0).errors_size(), 2);
  EXPECT_EQ(response.nodes(0).errors(0).error().reason(), "this test refuses it");
  EXPECT_EQ(response.nodes(1).id(), "good");
  EXPECT_EQ(response.nodes(1).state(), v1::Node::SYNCED);
  EXPECT_EQ(response.nodes(1).acknowledged_revision(), 2);
}

TEST_F(ServerTest, RefusalsCarryTheProblems) {
  const grpc::Status status =
      apply(R"(listeners { name: "a" address: "1.2.3.4:99999" routes { pool: "no" } })");
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  v1::ProblemList problems;
  ASSERT_EQ(details.details_size(), 1);
  ASSERT_TRUE(details.details(0).UnpackTo(&problems));
  ASSERT_EQ(problems.problems_size(), 2);
  EXPECT_EQ(problems.problems(0).field_path(), "listeners[0].address");
  EXPECT_EQ(problems.problems(1).field_path(), "listeners[0].routes[0].pool");
}

TEST_F(ServerTest, ARestartKeepsEverything) {
  ASSERT_TRUE(apply(kTenLines).ok());
  start();
  auto proxy = node("n1");
  EXPECT_TRUE(proxy->waitFor("RouteConfiguration/listener/public"));
}

TEST_F(ServerTest, StoppingEndsTheStreams) {
  auto proxy = node("n1");
  ASSERT_TRUE(apply(kTenLines).ok());
  ASSERT_TRUE(proxy->waitFor("Listener/public"));
  server_.reset();
  EXPECT_EQ(proxy->waitForEnd().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ServerTest, WatchGivesEveryChange) {
  ASSERT_TRUE(apply(kTenLines).ok());
  auto watching = context();
  v1::WatchRequest request;
  request.set_after_revision(0);
  auto stream = config_->Watch(watching.get(), request);
  v1::WatchResponse message;
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_FALSE(message.has_revision());
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.revision().number(), 1);
  EXPECT_EQ(message.revision().changes_size(), 4);
  ASSERT_TRUE(apply(R"(backends { pool: "web" address: "10.0.0.3:80" })").ok());
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_EQ(message.revision().number(), 2);
  EXPECT_EQ(message.revision().changes(0).after().backend().address(), "10.0.0.3:80");
  server_.reset();
  EXPECT_FALSE(stream->Read(&message));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(ServerTest, WatchNodesShowsComingAndGoing) {
  auto watching = context();
  auto stream = fleet_->WatchNodes(watching.get(), {});
  v1::WatchNodesResponse message;
  ASSERT_TRUE(stream->Read(&message));
  EXPECT_TRUE(message.initial_complete());
  auto proxy = node("n1", {{"role", "edge"}});
  do {
    ASSERT_TRUE(stream->Read(&message));
  } while (message.node().state() != v1::Node::SYNCED);
  EXPECT_EQ(message.node().labels().at("role"), "edge");
  v1::ListNodesResponse list;
  ASSERT_TRUE(fleet_->ListNodes(context().get(), {}, &list).ok());
  ASSERT_EQ(list.nodes_size(), 1);
  proxy.reset();
  do {
    ASSERT_TRUE(stream->Read(&message));
  } while (message.node().state() != v1::Node::DISCONNECTED);
  EXPECT_TRUE(message.node().has_disconnect_time());
}

TEST_F(ServerTest, ReadsWhatItHas) {
  ASSERT_TRUE(apply(kTenLines).ok());
  v1::GetRequest get;
  get.mutable_id()->set_kind(v1::KIND_POOL);
  get.mutable_id()->set_name("web");
  v1::GetResponse got;
  ASSERT_TRUE(config_->Get(context().get(), get, &got).ok());
  EXPECT_EQ(got.resource().pool().backends_size(), 2);
  v1::ListResponse list;
  ASSERT_TRUE(config_->List(context().get(), {}, &list).ok());
  EXPECT_EQ(list.resources_size(), 2);
  v1::HistoryResponse history;
  ASSERT_TRUE(config_->History(context().get(), {}, &history).ok());
  EXPECT_EQ(history.revisions_size(), 1);
  v1::ValidateRequest validate;
  *validate.mutable_config() = parse<v1::Config>(R"(pools { name: "other" })");
  validate.set_prune(true);
  v1::ValidateResponse verdict;
  ASSERT_TRUE(config_->Validate(context().get(), validate, &verdict).ok());
  EXPECT_EQ(verdict.change_count(), 5);
  v1::DeleteRequest remove;
  *remove.add_ids() = get.id();
  v1::DeleteResponse removed;
  EXPECT_EQ(config_->Delete(context().get(), remove, &removed).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
  remove.mutable_ids(0)->set_kind(v1::KIND_LISTENER);
  remove.mutable_ids(0)->set_name("public");
  remove.mutable_wait()->set_seconds(1);
  EXPECT_TRUE(config_->Delete(context().get(), remove, &removed).ok());
  EXPECT_EQ(removed.revision().number(), 2);
}

TEST_F(ServerTest, SaysWhyItCannotStart) {
  struct Case {
    ServerOptions options;
    std::string words;
  };
  const std::string taken = server_->xds().text();
  const Case cases[] = {
      {{.store = folder_.file("convoy.db"), .management = "127.0.0.1:0", .xds = "127.0.0.1:0"},
       "in use by another process"},
      {{.store = "/dev/null/x.db", .management = "127.0.0.1:0", .xds = "127.0.0.1:0"},
       "/dev/null/x.db"},
      {{.store = folder_.file("b.db"), .management = "0.0.0.0:0"}, "--listen 0.0.0.0:0"},
      {{.store = folder_.file("b.db"), .management = "unix:@b"}, "--listen unix:@b: an abstract"},
      {{.store = folder_.file("c.db"), .management = "127.0.0.1:0", .xds = "10.0.0.1:0"},
       "--xds-listen 10.0.0.1:0"},
      {{.store = folder_.file("d.db"), .management = taken, .xds = "127.0.0.1:0"},
       "--listen " + taken + ": cannot listen on " + taken + ": address already in use"},
      {{.store = folder_.file("e.db"), .management = "127.0.0.1:0", .xds = taken},
       "--xds-listen " + taken + ": cannot listen on " + taken + ": address already in use"},
      {{.store = folder_.file("f.db"), .management = "192.0.2.1:1", .insecure = true},
       "cannot listen on 192.0.2.1:1: cannot assign requested address"},
      {{.store = folder_.file("g.db"),
        .management = "127.0.0.1:0",
        .xds = "127.0.0.1:0",
        .tls = {.certificate = "/nowhere.pem", .key = "/k", .client_ca = "", .xds_client_ca = ""}},
       "--tls-cert /nowhere.pem"},
  };
  for (const Case& c : cases) {
    const auto server = Server::start(c.options, &clock_, validate::acceptAll());
    ASSERT_FALSE(server.ok());
    EXPECT_NE(server.status().message().find(c.words), absl::string_view::npos) << server.status();
  }
  for (const char* name : {"b.db", "c.db", "d.db", "e.db", "f.db", "g.db"}) {
    EXPECT_FALSE(std::filesystem::exists(folder_.file(name)))
        << "no file before the flags are good";
    EXPECT_FALSE(std::filesystem::exists(folder_.file(name) + ".key"));
  }
}

TEST_F(ServerTest, AUnixSocketHasOneServer) {
  const std::string path = folder_.file("m.sock");
  const auto on = [&](const std::string& store) {
    return Server::start(
        {.store = folder_.file(store), .management = "unix:" + path, .xds = "127.0.0.1:0"}, &clock_,
        validate::acceptAll());
  };
  auto first = on("first.db");
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = on("second.db");
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.status().message().find("--listen unix:" + path), absl::string_view::npos)
      << second.status();
  EXPECT_TRUE(std::filesystem::exists(path));
  first->reset();
  EXPECT_FALSE(std::filesystem::exists(path));
  // One that a killed process left behind is nobody's.
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_storage left;
  const socklen_t size = net::Address::parse("unix:" + path)->toSockaddr(&left);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&left), size), 0);
  ::close(fd);
  EXPECT_TRUE(on("first.db").ok());
}

TEST_F(ServerTest, ListensOnUnixSockets) {
  ServerOptions unix = {.store = folder_.file("unix.db"),
                        .management = "unix:" + folder_.file("m.sock"),
                        .xds = "unix:@" + folder_.file("x.sock"),
                        .insecure = true};
  const auto server = Server::start(unix, &clock_, validate::acceptAll());
  ASSERT_TRUE(server.ok()) << server.status();
  const auto stub = v1::ConfigService::NewStub(
      grpc::CreateChannel(unix.management, grpc::InsecureChannelCredentials()));
  v1::ListResponse list;
  EXPECT_TRUE(stub->List(context().get(), {}, &list).ok());
}

}  // namespace
}  // namespace convoy::controlplane
