#pragma once

// The admin endpoint: a small HTTP/1.1 server on main's loop that answers from pages registered by
// path. Meant for operators and scrapers on a trusted address: it has no authentication, hence
// listens where the bootstrap says and nowhere by default. Changing pages answer POST only, as
// Envoy's, and not from web pages (caller.h). Requests are served one at a time per connection;
// bodies are read and dropped up to kMaxBody. A request that is not complete, or an answer of which
// the client takes nothing, after kPatience ends its connection. Thread: main's.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "proxy/admin/caller.h"
#include "proxy/base/intrusive_list.h"
#include "proxy/event/loop.h"
#include "proxy/net/acceptor.h"
#include "proxy/net/listen_socket.h"

namespace convoy::admin {

struct Request {
  std::string_view method;
  std::string_view path;
  std::string_view query;  // without '?'
  Caller caller = {};
  // The value of a query parameter, percent-decoded ('+' stands for itself); unset if it does not
  // occur. "a" and "a=" are empty.
  std::optional<std::string> parameter(std::string_view name) const;
};

inline constexpr std::string_view kPlainText = "text/plain; charset=UTF-8";
inline constexpr std::string_view kJson = "application/json";

struct Response {
  int status = 200;
  std::string_view content_type = kPlainText;
  std::string body;
  std::string_view allow = {};  // the methods of a 405; empty: no such header
};

struct Page {
  std::string path;
  std::string help;
  bool changes = false;  // POST only
  std::function<Response(const Request&)> answer;
};

class AdminConnection;

class AdminServer {
 public:
  static constexpr size_t kMaxBody = 64 * 1024;
  static constexpr size_t kMaxConnections = 128;
  static constexpr event::Duration kPatience = std::chrono::seconds(60);

  explicit AdminServer(event::Loop& loop);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  void add(Page page);
  // The error names the address.
  absl::Status listen(const net::Address& address);
  // Where it listens, the port filled in; null before listen().
  const net::Address* address() const;
  // Ends accepting and closes every connection.
  void close();

  Response answer(const Request& request) const;

 private:
  friend class AdminConnection;
  std::string index() const;

  event::Loop& loop_;
  const std::vector<std::string> machine_;  // its names
  std::map<std::string, Page, std::less<>> pages_;
  net::AcceptMetrics accept_metrics_;
  net::AdoptedSockets adopted_;
  std::vector<net::ListenSocket> sockets_;
  std::unique_ptr<net::Acceptor> acceptor_;
  base::IntrusiveList<AdminConnection> connections_;  // owned
  size_t connection_count_ = 0;
};

}  // namespace convoy::admin
