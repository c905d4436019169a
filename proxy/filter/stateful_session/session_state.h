#pragma once

// One way to keep sessions: finds the host of a request's session, and notes which host a session
// has from now on. Made of a spec, shared by all workers: immutable, or with locks of its own.

#include <memory>
#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/event/clock.h"
#include "proxy/event/loop.h"
#include "proxy/filter/stateful_session/session_table.h"
#include "proxy/filter/stateful_session/spec.h"
#include "proxy/http/message.h"
#include "proxy/http/session_binding.h"
#include "proxy/http/stream_info.h"
#include "proxy/redis/client.h"
#include "proxy/upstream/cluster_metrics.h"

namespace convoy::filter::stateful_session {

class SharedSessions;

// The request at hand, on its worker.
struct Scope {
  const http::RequestHead& request;
  const http::StreamInfo& info;
  event::Loop& loop;
  base::Arena& arena;  // for what lives as long as the request
  // Where sessions are shared, and who waits until they are; null: nowhere, and nobody.
  redis::Client* store = nullptr;
  redis::Call* stored = nullptr;

  bool overTls() const { return info.downstream_transport != nullptr; }
};

struct Session {
  using Found = http::SessionBinding::Found;
  Found found = Found::Nothing;
  std::string_view host;       // if found
  bool renew = false;          // it is to be noted again even if the host stays
  SessionTable::Key client{};  // of states with a table, if there is one
  bool has_client = false;
  bool check = false;      // ask the others whether it still is that host
  bool of_others = false;  // `host` is their word: this node is to remember it, too
};

class SessionState {
 public:
  virtual ~SessionState() = default;
  // What the nodes tell each other; null: nothing.
  virtual const SharedSessions* shared() const { return nullptr; }
  // False: such requests have no sessions.
  virtual bool covers(const http::RequestHead& /*request*/) const { return true; }
  virtual Session find(const Scope& scope) const = 0;
  // `host` has answered the request with `response`.
  virtual void note(const Scope& scope, const Session& session, std::string_view host,
                    http::ResponseHead& response, upstream::ClusterMetrics& metrics) const = 0;
};

// Null: no sessions. The state keeps the table that it uses.
std::shared_ptr<const SessionState> makeSessionState(const SessionStateSpec& spec,
                                                     SessionTables& tables,
                                                     event::MonotonicTime now);

}  // namespace convoy::filter::stateful_session
