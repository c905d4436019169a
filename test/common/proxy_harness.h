#pragma once

// A real proxy inside the test: the Server of convoy-proxy on threads of its own, from a bootstrap
// in YAML, on ports that the kernel chose; and upstreams and clients on blocking sockets. A
// scenario fits on a page:
//
//   FakeUpstream web;                                   // answers 200 with its name
//   ProxyHarness proxy(staticBootstrap(web.address())); // live when the constructor returns
//   EXPECT_EQ(proxy.get("/").status, 200);
//
// Every wait is bounded; a proxy that does not start fails the test with its error.

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "proxy/net/address.h"
#include "proxy/server/server.h"
#include "test/common/raw_socket.h"
#include "test/common/simulated_clock.h"

namespace convoy::test {

struct HttpReply {
  int status = 0;  // 0: no response
  std::string head;
  std::string body;
};
HttpReply parseReply(std::string_view bytes);

// Answers every request of every connection with `answer` (a whole response), after reading its
// head; an empty answer closes the connection instead. Counts what it served.
class FakeUpstream {
 public:
  explicit FakeUpstream(std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                        RawSocket listening = RawSocket::listening());
  ~FakeUpstream();
  const net::Address& address() const { return address_; }
  int requests() const { return requests_; }
  // From now on requests for this path get no answer, and are not counted; empty: none.
  void ignore(const std::string& path);
  // The same of those for a path that it says this of; asked on the connection's thread, one after
  // the other.
  void ignoreIf(std::function<bool(std::string_view path)> ignores);
  // The last request's head and what of its body came with it.
  std::string lastRequest();

 private:
  void serve();
  void serveOne(RawSocket connection);
  bool ignores(std::string_view request);

  const std::string answer_;
  RawSocket listening_;
  net::Address address_;
  std::atomic<int> requests_{0};
  std::mutex mutex_;
  std::string last_request_;                       // guarded by mutex_
  std::function<bool(std::string_view)> ignored_;  // guarded by mutex_
  std::vector<std::thread> serving_;               // guarded by mutex_
  std::vector<int> open_;                          // guarded by mutex_
  std::atomic<bool> stopping_{false};
  std::thread accepting_;
};

// One listener "public" on a free port of 127.0.0.1, whose virtual host "*" has these routes (YAML
// list items), and a cluster "web" with one host. `manager`: more fields of the connection manager,
// a line each.
std::string staticBootstrap(
    const net::Address& web,
    const std::string& routes = "{match: {prefix: /}, route: {cluster: web}}",
    const std::vector<std::string>& manager = {});

// The same with several hosts. The cluster's fields end the text, so more can be appended: lines
// that are indented by four blanks.
std::string staticBootstrap(const std::vector<net::Address>& web, const std::string& routes,
                            const std::vector<std::string>& manager = {});

// More of such a text: the cluster's convoy.ext.FailurePolicy with these fields.
std::string failurePolicy(const std::string& fields);
// More of a route: its convoy.ext.RoutePolicy with these fields.
std::string routePolicy(const std::string& fields);

// Why a proxy does not start; empty: it would.
std::string startError(const std::string& bootstrap);

class ProxyHarness {
 public:
  explicit ProxyHarness(const std::string& bootstrap, size_t workers = 1);
  // On simulated time, which moves when the test advances it, here and on all of the proxy's
  // threads; on those of health checks if the bootstrap has any. Such a proxy is stopped in the
  // end, since draining takes time.
  ProxyHarness(const std::string& bootstrap, SimulatedClock& time, size_t workers = 1);
  ~ProxyHarness();

  // Of the listener, its port filled in.
  net::Address address(const std::string& listener = "public") const;
  // One request on a connection of its own.
  HttpReply send(std::string_view request) const;
  HttpReply get(const std::string& path) const;
  // The value of a metric, by its whole name; a test that names none fails.
  uint64_t metric(const std::string& name);
  // Waits until it is that much.
  [[nodiscard]] bool becomes(const std::string& name, uint64_t at_least);
  // Runs on main's thread and waits.
  void onMain(const std::function<void(server::Server&)>& task);
  // Returns when each worker has done what was posted to it before.
  void untilWorkersKnow();
  // Waits for the end, which somebody else began.
  void untilEnded();
  // Drains, or on simulated time stops, and waits for the end; also done by the destructor.
  void drain();

 private:
  void start(const std::string& bootstrap, size_t workers);
  void run(const std::string& bootstrap, size_t workers);
  void letGoOfTime();

  const event::SystemClock system_time_;
  SimulatedClock* const time_;            // null: the system's
  std::vector<event::Loop*> timed_ = {};  // attached to it
  server::Server* server_ = nullptr;
  std::map<std::string, net::Address> addresses_;
  std::promise<std::string> started_;  // empty: live; else why not
  std::thread thread_;
};

}  // namespace convoy::test
