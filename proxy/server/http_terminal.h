#pragma once

// HTTP as the end of a filter chain: metrics by stat_prefix, log files and formats, route tables.
// Thread: main's.

#include <map>
#include <memory>
#include <string>

#include "proxy/observe/log_writer.h"
#include "proxy/observe/metrics.h"
#include "proxy/server/http_chain.h"
#include "proxy/server/route_tables.h"
#include "proxy/server/terminal_filter.h"

namespace convoy::server {

class HttpTerminal final : public TerminalFilter {
 public:
  // All outlive this object. slots: of metrics, one per worker and main's.
  HttpTerminal(RouteTables& routes, observe::LogWriter& logs, observe::MetricRegistry& registry,
               int slots);

  absl::Status admit(const net::NetworkFilterSpec& spec) override;
  std::shared_ptr<const PreparedTerminal> prepare(
      const std::shared_ptr<const net::NetworkFilterSpec>& spec) override;

 private:
  std::shared_ptr<observe::MetricGroup<http::ManagerMetrics>> metricsOf(const std::string& prefix);

  RouteTables& routes_;
  observe::LogWriter& logs_;
  observe::MetricRegistry& registry_;
  const int slots_;
  // Several listeners may share a stat_prefix, and so the counters.
  std::map<std::string, std::weak_ptr<observe::MetricGroup<http::ManagerMetrics>>> metrics_;
  const std::shared_ptr<observe::MetricGroup<http::H2ServerMetrics>> h2_metrics_;
};

}  // namespace convoy::server
