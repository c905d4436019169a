#pragma once

// Sends the requests of a session to one host, whatever the cluster's algorithm: finds the session
// of a request and tells the router its host (StreamInfo::session), and notes which host has
// answered. How sessions are kept is the session state's business (session_state.h). Configuration
// of the most specific of route, virtual host and route table stands instead of the filter's own.
//
// Where sessions are shared (shared_sessions.h), a request of a client that this node does not know
// waits for Redis's answer, and the response that begins or moves a session until Redis has it: a
// client that has its response meets the same host on every node. Both wait no longer than the
// client's time-out (redis/client.h), and not at all while Redis is away.
//
// Counted by the router, in the cluster's sticky_ metrics.

#include <memory>

#include "proxy/filter/stateful_session/session_table.h"
#include "proxy/filter/stateful_session/spec.h"
#include "proxy/filter/worker_services.h"
#include "proxy/http/filter.h"

namespace convoy::filter::stateful_session {

// tables: of the process.
std::unique_ptr<http::FilterFactory> makeFactory(std::shared_ptr<const StatefulSessionSpec> spec,
                                                 std::shared_ptr<SessionTables> tables,
                                                 const WorkerServices& services);

}  // namespace convoy::filter::stateful_session
