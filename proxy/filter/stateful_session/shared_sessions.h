#pragma once

// What nodes tell each other of learned sessions, through Redis: a key for each client, "sticky:"
// and 32 hexadecimal digits of the client's hash -> the address of its host, which Redis forgets
// after the session's ttl. The key is the table's (session_table.h): it has the table's name in it,
// and nothing of what a client sent.
//
// Redis is asked about clients that this node does not know, and about those whose host gets no
// requests any more, since another node may have moved them. What the node knows it checks from
// time to time, while the request goes on: Redis's word counts, also against the node's own, so
// that nodes that disagree meet again. If Redis has nothing, or nothing of use, it is told.
//
// What Redis holds is hostile: it can name a host of the cluster, as host sets know them, and
// nothing else (HostGroups::find()).
//
// Immutable, shared by all workers; clients and calls are the worker's.

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/filter/stateful_session/session_table.h"
#include "proxy/filter/stateful_session/spec.h"
#include "proxy/redis/client.h"

namespace convoy::filter::stateful_session {

class SharedSessions {
 public:
  // A value that is longer is nobody's address.
  static constexpr size_t kMostHost = 128;

  SharedSessions(const SharedIn& spec, std::chrono::seconds ttl,
                 std::shared_ptr<SessionTable> table);

  const redis::ClientSpec& server() const { return spec_.server; }

  // Asks which host the client has. False: it could not be asked.
  [[nodiscard]] bool ask(redis::Client& redis, const SessionTable::Key& client,
                         redis::Call& call) const;
  // What the answer to that says; empty: nothing. Good as long as the reply.
  static std::string_view hostOf(const redis::Reply& reply, redis::ClientMetrics& metrics);
  // The client has this host from now on. call: told when the others can know; may be null.
  [[nodiscard]] bool tell(redis::Client& redis, const SessionTable::Key& client,
                          std::string_view host, redis::Call* call) const;
  // Compares what the table has with what the others know, beside the request. serves: whether an
  // address is a host that the client could have.
  using Serves = std::function<bool(std::string_view host)>;
  void check(redis::Client& redis, const SessionTable::Key& client, std::string_view host,
             Serves serves) const;

 private:
  class Check;

  std::string keyOf(const SessionTable::Key& client) const;

  const SharedIn spec_;
  const std::string ttl_;  // seconds
  const std::shared_ptr<SessionTable> table_;
};

}  // namespace convoy::filter::stateful_session
