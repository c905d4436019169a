#include "test/common/proxy_harness.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <charconv>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proxy/admin/stats.h"
#include "proxy/config/bootstrap_loader.h"
#include "test/common/test_loop.h"

namespace convoy::test {

HttpReply parseReply(std::string_view bytes) {
  HttpReply reply;
  const size_t end = bytes.find("\r\n\r\n");
  if (bytes.substr(0, 7) != "HTTP/1." || end == std::string_view::npos) return reply;
  std::from_chars(bytes.data() + 9, bytes.data() + 12, reply.status);
  reply.head = bytes.substr(0, end);
  reply.body = bytes.substr(end + 4);
  return reply;
}

// --- FakeUpstream ---

FakeUpstream::FakeUpstream(std::string answer, RawSocket listening)
    : answer_(std::move(answer)),
      listening_(std::move(listening)),
      address_(listening_.localAddress()),
      accepting_([this] { serve(); }) {}

FakeUpstream::~FakeUpstream() {
  stopping_ = true;
  ::shutdown(listening_.fd(), SHUT_RDWR);
  accepting_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : serving_) thread.join();
}

void FakeUpstream::serve() {
  // Connections have it from the listening socket: neither nobody who comes nor nobody who asks for
  // a while is the end, but the destructor.
  const timeval for_ever{};
  ::setsockopt(listening_.fd(), SOL_SOCKET, SO_RCVTIMEO, &for_ever, sizeof(for_ever));
  while (!stopping_) {
    const int fd = ::accept(listening_.fd(), nullptr, nullptr);
    if (fd < 0) return;
    const std::lock_guard lock(mutex_);
    open_.push_back(fd);
    serving_.emplace_back([this, fd] { serveOne(RawSocket(fd)); });
  }
}

void FakeUpstream::serveOne(RawSocket connection) {
  std::string received;
  char buffer[16 * 1024];
  while (!stopping_) {
    const ssize_t got = ::recv(connection.fd(), buffer, sizeof(buffer), 0);
    if (got <= 0) break;
    received.append(buffer, static_cast<size_t>(got));
    if (received.find("\r\n\r\n") == std::string::npos) continue;
    if (ignores(received)) {
      received.clear();
      continue;
    }
    ++requests_;
    {
      const std::lock_guard lock(mutex_);
      last_request_ = std::exchange(received, {});
    }
    if (answer_.empty()) break;
    connection.send(answer_);
  }
  const std::lock_guard lock(mutex_);
  std::erase(open_, connection.fd());
  connection.close();
}

void FakeUpstream::ignore(const std::string& path) {
  ignoreIf([path](std::string_view asked) { return !path.empty() && asked == path; });
}

void FakeUpstream::ignoreIf(std::function<bool(std::string_view path)> ignores) {
  const std::lock_guard lock(mutex_);
  ignored_ = std::move(ignores);
}

bool FakeUpstream::ignores(std::string_view request) {
  const std::lock_guard lock(mutex_);
  const std::string_view target = request.substr(request.find(' ') + 1);
  return ignored_ && ignored_(target.substr(0, target.find(' ')));
}

std::string FakeUpstream::lastRequest() {
  const std::lock_guard lock(mutex_);
  return last_request_;
}

// --- ProxyHarness ---

std::string staticBootstrap(const net::Address& web, const std::string& routes,
                            const std::vector<std::string>& manager) {
  constexpr char kIndent[] = "\n          ";
  const std::string more =
      manager.empty() ? "" : absl::StrCat(kIndent, absl::StrJoin(manager, kIndent));
  return absl::StrCat(R"(
static_resources:
  listeners:
  - name: public
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: public
          use_remote_address: true)",
                      more, R"(
          route_config:
            virtual_hosts:
            - name: all
              domains: ["*"]
              routes: [)",
                      routes, R"(]
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
  clusters:
  - name: web
    connect_timeout: 5s
    load_assignment:
      cluster_name: web
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: )",
                      web.port(), "}}}\n");
}

std::string staticBootstrap(const std::vector<net::Address>& web, const std::string& routes,
                            const std::vector<std::string>& manager) {
  std::string text = staticBootstrap(web[0], routes, manager);
  for (size_t i = 1; i < web.size(); ++i) {
    absl::StrAppend(
        &text, "        - endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: ",
        web[i].port(), "}}}\n");
  }
  return text;
}

namespace {

std::string policy(const std::string& type, const std::string& fields) {
  return absl::StrCat("metadata: {typed_filter_metadata: {", type,
                      ": {\"@type\": type.googleapis.com/", type, ", ", fields, "}}}");
}

}  // namespace

std::string failurePolicy(const std::string& fields) {
  return absl::StrCat("    ", policy("convoy.ext.FailurePolicy", fields), "\n");
}

std::string routePolicy(const std::string& fields) {
  return absl::StrCat(", ", policy("convoy.ext.RoutePolicy", fields));
}

std::string startError(const std::string& bootstrap) {
  config::LoadedBootstrap loaded = config::loadBootstrap(bootstrap, "test.yaml");
  if (!loaded.ok()) return loaded.errorText();
  server::Options options;
  options.concurrency = 1;
  event::SystemClock clock;
  server::Server server(options, *std::move(loaded.spec), clock, event::Random(1));
  return std::string(server.start().message());
}

ProxyHarness::ProxyHarness(const std::string& bootstrap, size_t workers) : time_(nullptr) {
  start(bootstrap, workers);
}

ProxyHarness::ProxyHarness(const std::string& bootstrap, SimulatedClock& time, size_t workers)
    : time_(&time) {
  start(bootstrap, workers);
  if (server_ != nullptr) timed_ = server_->loops();
  for (event::Loop* const loop : timed_) time.attach(*loop);
  // What was posted in the beginning belongs to this moment, also on a thread that was slow to
  // start.
  time.advance(event::Duration::zero());
}

void ProxyHarness::start(const std::string& bootstrap, size_t workers) {
  auto started = started_.get_future();
  thread_ = std::thread([this, bootstrap, workers] { run(bootstrap, workers); });
  const bool in_time = started.wait_for(kPatience) == std::future_status::ready;
  EXPECT_TRUE(in_time) << "the proxy did not become live";
  if (in_time) {
    EXPECT_EQ(started.get(), "");
  }
}

void ProxyHarness::run(const std::string& bootstrap, size_t workers) {
  config::LoadedBootstrap loaded = config::loadBootstrap(bootstrap, "test.yaml");
  if (!loaded.ok()) return started_.set_value(loaded.errorText());
  server::Options options;
  options.concurrency = workers;
  const event::Clock& clock =
      time_ != nullptr ? static_cast<const event::Clock&>(*time_) : system_time_;
  server::Server server(options, *std::move(loaded.spec), clock, event::Random(1));
  server.onLive([&] {
    for (const auto& [name, listener] : server.listeners().active()) {
      addresses_[name] = listener.addresses.front();
    }
    server_ = &server;
    started_.set_value("");
  });
  if (absl::Status status = server.start(); !status.ok()) {
    return started_.set_value(std::string(status.message()));
  }
  server.run();
  server_ = nullptr;
}

ProxyHarness::~ProxyHarness() {
  drain();
}

void ProxyHarness::letGoOfTime() {
  for (event::Loop* const loop : std::exchange(timed_, {})) time_->detach(*loop);
}

void ProxyHarness::untilEnded() {
  letGoOfTime();
  if (thread_.joinable()) thread_.join();
}

void ProxyHarness::drain() {
  if (!thread_.joinable()) return;
  letGoOfTime();
  if (server_ != nullptr) {
    server_->loop().post([server = server_, at_once = time_ != nullptr] {
      at_once ? server->stop() : server->drainAndStop();
    });
  }
  thread_.join();
}

void ProxyHarness::onMain(const std::function<void(server::Server&)>& task) {
  std::promise<void> done;
  server_->loop().post([&] {
    task(*server_);
    done.set_value();
  });
  done.get_future().get();
}

void ProxyHarness::untilWorkersKnow() {
  std::vector<event::Loop*> loops;
  onMain([&](server::Server& server) { loops = server.loops(); });
  for (event::Loop* const loop : loops) {
    std::promise<void> done;
    loop->post([&done] { done.set_value(); });
    done.get_future().get();
  }
}

uint64_t ProxyHarness::metric(const std::string& name) {
  std::string text;
  onMain([&](server::Server& server) { text = "\n" + admin::renderStats(server.metrics(), name); });
  const std::string line = absl::StrCat("\n", name, ": ");
  const size_t at = text.find(line);
  if (at == std::string::npos) {
    ADD_FAILURE() << "there is no " << name;
    return 0;
  }
  return std::stoull(text.substr(at + line.size()));
}

bool ProxyHarness::becomes(const std::string& name, uint64_t at_least) {
  const event::MonotonicTime end = system_time_.monotonicNow() + kPatience;
  while (metric(name) < at_least) {
    if (system_time_.monotonicNow() > end) return false;
  }
  return true;
}

net::Address ProxyHarness::address(const std::string& listener) const {
  return addresses_.at(listener);
}

HttpReply ProxyHarness::send(std::string_view request) const {
  const RawSocket client = RawSocket::connectedTo(address());
  client.send(request);
  return parseReply(client.receiveAll());
}

HttpReply ProxyHarness::get(const std::string& path) const {
  return send(absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"));
}

}  // namespace convoy::test
