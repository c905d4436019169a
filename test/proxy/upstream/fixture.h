#pragma once

// A cluster manager and one worker on the test's own thread and simulated time; upstream servers
// are ends of in-memory connections that a test reads and writes by hand.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxy/observe/metrics.h"
#include "proxy/upstream/cluster_manager.h"
#include "proxy/upstream/socket_io.h"
#include "test/common/in_memory_connection.h"
#include "test/common/recording_handler.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::test {

// The server's end of one connection that a pool opened.
struct Peer {
  net::Address address;
  bool refused = false;
  RecordingHandler handler;
  std::unique_ptr<net::Connection> connection;

  void send(std::string_view bytes) const { connection->write(bytes); }
  std::string take() { return std::exchange(handler.received, {}); }
};

class FakeIo final : public upstream::UpstreamIo {
 public:
  std::unique_ptr<net::Connection> connect(event::Loop& loop, const net::Address& to,
                                           const net::Address* bind_to,
                                           net::ConnectionHandler& handler) override {
    last_bind_to = bind_to == nullptr ? std::nullopt : std::optional<net::Address>(*bind_to);
    Peer& peer = *peers.emplace_back(std::make_unique<Peer>());
    peer.address = to;
    peer.refused = refuse || (refuses && refuses(to));
    if (peer.refused) return InMemoryConnection::refused(loop, handler, ECONNREFUSED);
    auto [ours, theirs] = InMemoryConnection::pair(loop, handler, peer.handler, options);
    peer.connection = std::move(theirs);
    return std::move(ours);
  }
  upstream::UpstreamCodec createCodec(event::Loop& loop, const upstream::ClusterSpec& spec,
                                      upstream::UpstreamProtocol protocol, http::H2Metrics& h2,
                                      http::ClientCodecHandler& handler) override {
    if (make_codec) return make_codec(handler);
    return sockets_.createCodec(loop, spec, protocol, h2, handler);
  }

  bool refuse = false;
  std::function<bool(const net::Address&)> refuses;  // null: none
  std::function<upstream::UpstreamCodec(http::ClientCodecHandler&)>
      make_codec;  // null: as configured
  InMemoryConnection::Options options;
  std::optional<net::Address> last_bind_to;
  std::vector<std::unique_ptr<Peer>> peers;  // in the order of connecting

 private:
  upstream::SocketIo sockets_;
};

// One request, and everything that its caller is told.
class TestRequest final : public http::ResponseReceiver, public upstream::PoolCallbacks {
 public:
  TestRequest() = default;
  TestRequest(const TestRequest&) = delete;
  TestRequest& operator=(const TestRequest&) = delete;
  // As the contract of codecs demands: a receiver that goes gives up its stream.
  ~TestRequest() { giveUp(); }

  void start(upstream::WorkerCluster& cluster, std::vector<const upstream::Host*> tried = {},
             upstream::Priority priority = upstream::Priority::Default) {
    start(cluster, cluster.pick(tried, nullptr, std::nullopt, nullptr, priority));
  }
  void start(upstream::WorkerCluster& cluster, upstream::PickResult picked) {
    kind = picked.kind;
    if (picked.kind != upstream::Pick::Kind::Host) return;
    host = picked.lease.ref();
    probe = picked.lease.probe();
    pending = cluster.newStream(std::move(picked.lease), *this, *this);
  }
  void sendGet(std::string_view path = "/") {
    http::RequestHead head;
    head.method = "GET";
    head.target = path;
    head.authority = "upstream";
    head.scheme = "http";
    sender->sendHead(head, /*end_of_stream=*/true);
  }
  // A POST whose body is still to be sent.
  void sendPostHead() {
    http::RequestHead head;
    head.method = "POST";
    head.target = "/";
    head.authority = "upstream";
    head.scheme = "http";
    head.body = {.kind = http::BodyLength::Kind::Unknown};
    sender->sendHead(head, /*end_of_stream=*/false);
  }
  void giveUp() {
    if (pending != nullptr) std::exchange(pending, nullptr)->cancel();
    if (sender != nullptr) std::exchange(sender, nullptr)->reset(http::Failure::None);
  }
  bool waiting() const { return pending != nullptr; }

  void onStreamReady(http::RequestSender& with, upstream::UpstreamConnectionInfo& about) override {
    pending = nullptr;
    sender = &with;
    info = &about;
    streams_before = about.streamsBefore();
    if (when_ready) return when_ready();
    if (send_at_once) sendGet();
  }
  void onStreamFailed(http::Failure failure) override {
    pending = nullptr;
    failed = failure;
    if (when_failed) when_failed();
  }

  void onInformational(http::ResponseHead& head) override { informational.push_back(head.status); }
  void onResponseHead(http::ResponseHead& head, bool end_of_stream) override {
    status = head.status;
    if (end_of_stream) end();
    if (when_head) when_head();
  }
  void onResponseBody(std::string_view bytes, bool end_of_stream) override {
    body += bytes;
    if (end_of_stream) end();
  }
  void onResponseTrailers(http::HeaderList& trailers) override {
    trailer_count = trailers.size();
    end();
  }
  void onResponseReset(http::Failure failure) override {
    reset = failure;
    bytes_received = info->bytesReceived();
    sender = nullptr;
    if (when_reset) when_reset();
  }
  void onSendQueueAboveHigh() override { ++above_high; }
  void onSendQueueBelowLow() override { ++below_low; }

  bool send_at_once = true;
  std::function<void()> when_ready;  // instead of sending at once
  std::function<void()> when_failed;
  std::function<void()> when_head;
  std::function<void()> when_reset;

  upstream::Pick::Kind kind = upstream::Pick::Kind::None;
  upstream::HostRef host;
  uint32_t probe = upstream::Streaks::kNoProbe;
  upstream::PendingStream* pending = nullptr;
  http::RequestSender* sender = nullptr;
  upstream::UpstreamConnectionInfo* info = nullptr;
  uint64_t streams_before = 0;
  std::vector<int> informational;
  int status = 0;
  std::string body;
  size_t trailer_count = 0;
  int ends = 0;
  int above_high = 0;
  int below_low = 0;
  bool bytes_received = false;  // when the stream was reset
  std::optional<http::Failure> failed;
  std::optional<http::Failure> reset;

 private:
  void end() {
    ++ends;
    if (!keep_sender) sender = nullptr;
  }

 public:
  bool keep_sender = false;  // the request goes on after the response's end
};

// A policy that does not know its answer before the test says so.
class LatePolicy final : public upstream::LoadBalancer {
 public:
  void setHosts(const upstream::HostSet& hosts) override { hosts_ = &hosts; }
  upstream::Pick pick(upstream::PickContext& context) override {
    ++picks;
    if (!known && context.waiter != nullptr) {
      waiters_.add(*context.waiter);
      return {.kind = upstream::Pick::Kind::Later};
    }
    upstream::Host* const host = known ? context.firstUntried(*hosts_, nullptr) : nullptr;
    return {.kind = host != nullptr ? upstream::Pick::Kind::Host : upstream::Pick::Kind::None,
            .host = host};
  }
  void answer() {
    known = true;
    tell();
  }
  void tell() { waiters_.tell(); }
  bool hasWaiters() const { return !waiters_.empty(); }

  bool known = false;
  int picks = 0;

 private:
  const upstream::HostSet* hosts_ = nullptr;
  upstream::PickWaiters waiters_;
};

class UpstreamTest : public testing::Test {
 protected:
  UpstreamTest()
      : loop_(clock_),
        manager_(std::make_unique<upstream::ClusterManager>(
            loop_.loop(), std::vector<event::Loop*>{&loop_.loop()}, registry_, io_)) {
    clock_.attach(loop_.loop());
  }
  ~UpstreamTest() override {
    manager_.reset();
    loop_.runReady();
    io_.peers.clear();
    clock_.detach(loop_.loop());
  }

  static net::Address address(int index) {
    return net::Address::fromIp("10.0.0." + std::to_string(index), 80).value();
  }
  static upstream::EndpointSpec endpoint(
      int index, uint32_t weight = 1,
      upstream::HealthStatus health = upstream::HealthStatus::Unknown) {
    upstream::EndpointSpec spec;
    spec.address = address(index);
    spec.weight = weight;
    spec.health = health;
    return spec;
  }
  static std::shared_ptr<upstream::AssignmentSpec> assignment(
      std::vector<upstream::EndpointSpec> endpoints) {
    auto spec = std::make_shared<upstream::AssignmentSpec>();
    spec->localities.emplace_back().endpoints = std::move(endpoints);
    return spec;
  }
  static std::shared_ptr<upstream::ClusterSpec> clusterSpec(std::string name = "web") {
    auto spec = std::make_shared<upstream::ClusterSpec>();
    spec->name = std::move(name);
    spec->discovery = upstream::ClusterSpec::Discovery::Eds;
    return spec;
  }
  void apply(const upstream::ClusterChanges& changes) {
    manager_->apply(changes);
    run();
  }
  // The cluster "web" with hosts 1..count.
  upstream::WorkerCluster& makeCluster(std::shared_ptr<upstream::ClusterSpec> spec, int count = 1) {
    std::vector<upstream::EndpointSpec> endpoints;
    for (int i = 1; i <= count; ++i) endpoints.push_back(endpoint(i));
    setHosts(std::move(endpoints), {std::move(spec)});
    return cluster();
  }
  upstream::WorkerCluster& makeCluster(int count = 1) { return makeCluster(clusterSpec(), count); }
  void setHosts(std::vector<upstream::EndpointSpec> endpoints,
                std::vector<std::shared_ptr<const upstream::ClusterSpec>> specs = {}) {
    apply({.clusters = std::move(specs), .assignments = {{"web", assignment(endpoints)}}});
  }
  upstream::WorkerCluster* find(std::string_view name = "web") {
    return manager_->worker(0).find(name);
  }
  upstream::WorkerCluster& cluster() { return *find(); }
  // Instead of the cluster's own policy; lives as long as that one would.
  LatePolicy& pickLate() {
    auto policy = std::make_unique<LatePolicy>();
    LatePolicy& made = *policy;
    cluster().setBalancerForTest(std::move(policy));
    return made;
  }
  // In a turn, as a policy that learns something does.
  void answer(LatePolicy& policy) {
    {
      const event::Loop::TurnScope turn(loop_.loop());
      policy.answer();
    }
    run();
  }
  upstream::ClusterMetrics& metrics() { return cluster().metrics(); }
  upstream::HostPool::Counts counts(const upstream::HostRef& host) { return host.pool()->counts(); }
  void run() { loop_.runReady(); }
  Peer& peer(size_t index) { return *io_.peers.at(index); }
  // Starts a request and brings it to its connection.
  void send(TestRequest& request) {
    request.start(cluster());
    run();
  }
  void answer(Peer& from, std::string_view body = "ok") {
    from.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
              std::string(body));
    run();
  }

  SimulatedClock clock_;
  observe::MetricRegistry registry_;
  FakeIo io_;
  TestLoop loop_;
  std::unique_ptr<upstream::ClusterManager> manager_;
};

}  // namespace convoy::test
