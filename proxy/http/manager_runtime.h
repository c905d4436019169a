#pragma once

// What all requests under one connection-manager configuration share on one worker: the spec,
// filter factories, metrics, logs, the route table now in force, time-outs, and recycled streams.
// Built when a listener is published to the worker; requests pin it. Worker's thread only.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "proxy/event/loop.h"
#include "proxy/event/worker_slot.h"
#include "proxy/http/access_log.h"
#include "proxy/http/codec.h"
#include "proxy/http/filter.h"
#include "proxy/http/guarded_names.h"
#include "proxy/http/h1_limits.h"
#include "proxy/http/h2_metrics.h"
#include "proxy/http/h2_options.h"
#include "proxy/http/http_date.h"
#include "proxy/http/manager_metrics.h"
#include "proxy/http/route_matcher.h"
#include "proxy/http/spec.h"

namespace convoy::http {

class ServerStream;
struct ManagerRuntime;

// The configuration in force for the connections of one filter chain: each request takes the one of
// its moment, so changing filters, logs or time-outs closes no connection.
struct ManagerSlot {
  std::shared_ptr<ManagerRuntime> current;
  bool draining = false;  // new connections are told to go elsewhere at once
};

// Gives the route table in force at this moment; RDS replaces it between two turns.
using RouteTableSource = std::function<event::LocalRef<RouteMatcher>()>;

struct ManagerRuntime {
  ManagerRuntime(event::Loop& loop, std::shared_ptr<const ConnectionManagerSpec> spec,
                 ManagerMetrics& metrics, RouteTableSource routes);
  ~ManagerRuntime();
  ManagerRuntime(const ManagerRuntime&) = delete;
  ManagerRuntime& operator=(const ManagerRuntime&) = delete;

  // Null when the time-out is zero or unset: "off".
  event::DeadlineQueue* queueFor(Milliseconds timeout);

  event::Loop& loop;
  const std::shared_ptr<const ConnectionManagerSpec> spec;
  ManagerMetrics& metrics;
  RouteTableSource routes;
  std::vector<std::unique_ptr<FilterFactory>> filters;
  std::vector<std::unique_ptr<AccessLogger>> access_logs;
  H1Limits h1_limits;
  H2Options h2_options;
  H2Metrics* h2_metrics = &unread_h2_metrics_;  // or those of the process
  // What must outlive the requests that pin this: the metric group, say.
  std::shared_ptr<void> keep_alive;
  // Hosts that the connections of this filter chain must not ask for; null: none.
  std::shared_ptr<const GuardedNames> guarded_names;
  WallTimeCache wall;
  HttpDateCache dates;
  bool log_needs_response_head = false;
  // Of the listener's spec.
  size_t buffer_limit = 1024 * 1024;
  size_t send_queue = 256 * 1024;
  const uint32_t max_requests;  // of a connection

  event::DeadlineQueue* const idle_queue;  // connection without a stream
  event::DeadlineQueue* const stream_idle_queue;
  event::DeadlineQueue* const head_queue;  // a head that is half here
  event::DeadlineQueue* const request_queue;
  event::DeadlineQueue* const stream_age_queue;
  event::DeadlineQueue* const connection_age_queue;
  event::DeadlineQueue* const drain_queue;
  event::DeadlineQueue* handshake_queue = nullptr;  // of the filter chain's transport

  // Streams are recycled: an arena and its filters' space are warm.
  std::unique_ptr<ServerStream> takeStream();
  void giveBack(std::unique_ptr<ServerStream> stream);

 private:
  H2Metrics unread_h2_metrics_;
  std::vector<std::unique_ptr<ServerStream>> free_streams_;
};

}  // namespace convoy::http
