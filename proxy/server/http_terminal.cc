#include "proxy/server/http_terminal.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/log.h"

namespace convoy::server {

HttpTerminal::HttpTerminal(RouteTables& routes, observe::LogWriter& logs,
                           observe::MetricRegistry& registry, int slots)
    : routes_(routes),
      logs_(logs),
      registry_(registry),
      slots_(slots),
      h2_metrics_(std::make_shared<observe::MetricGroup<http::H2ServerMetrics>>(
          registry_, "http2", observe::Labels{}, slots)) {}

absl::Status HttpTerminal::admit(const net::NetworkFilterSpec& spec) {
  const auto* const manager = dynamic_cast<const http::ConnectionManagerSpec*>(&spec);
  CONVOY_ASSERT(manager != nullptr);
  for (size_t i = 0; i < manager->access_logs.size(); ++i) {
    absl::Status opened = logs_.open(manager->access_logs[i].path).status();
    if (opened.ok()) continue;
    opened.SetPayload(
        kFieldPath, absl::Cord(absl::StrCat("typed_config.access_log[", i, "].typed_config.path")));
    opened.SetPayload(kRule, absl::Cord("access_log"));
    return opened;
  }
  return absl::OkStatus();
}

std::shared_ptr<observe::MetricGroup<http::ManagerMetrics>> HttpTerminal::metricsOf(
    const std::string& prefix) {
  auto& known = metrics_[prefix];
  auto group = known.lock();
  if (group == nullptr) {
    group = std::make_shared<observe::MetricGroup<http::ManagerMetrics>>(
        registry_, "http", observe::Labels{{"envoy_http_conn_manager_prefix", prefix}}, slots_);
    known = group;
  }
  return group;
}

std::shared_ptr<const PreparedTerminal> HttpTerminal::prepare(
    const std::shared_ptr<const net::NetworkFilterSpec>& filter) {
  auto spec = std::dynamic_pointer_cast<const http::ConnectionManagerSpec>(filter);
  CONVOY_ASSERT(spec != nullptr);
  auto prepared = std::make_shared<PreparedManager>();
  prepared->metrics = metricsOf(spec->stat_prefix);
  prepared->h2_metrics = h2_metrics_;
  for (const http::AccessLogSpec& log : spec->access_logs) {
    auto format = http::LogFormat::compile(log);
    auto file = logs_.open(log.path);
    // Both were checked when the listener was admitted; a path may have gone since.
    if (!format.ok() || !file.ok()) {
      base::logError(absl::StrCat("access log ", log.path, " is left out: ",
                                  (format.ok() ? file.status() : format.status()).ToString()));
      continue;
    }
    prepared->logs.push_back(
        {std::make_shared<const http::LogFormat>(*std::move(format)), *std::move(file)});
  }
  if (spec->routes == nullptr) {
    prepared->routes = routes_.slot(spec->rds_name);
  } else {
    // A slot for each version: what drains under an older one keeps its routes.
    prepared->routes = routes_.makeSlot();
    if (absl::Status put = RouteTables::publish(spec->routes, *prepared->routes); !put.ok()) {
      base::logError(absl::StrCat("inline routes of ", spec->stat_prefix, ": ", put.ToString()));
    }
  }
  prepared->spec = std::move(spec);
  return prepared;
}

}  // namespace convoy::server
