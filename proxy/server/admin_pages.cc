#include "proxy/server/admin_pages.h"

#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include <re2/re2.h>

#include "absl/strings/str_cat.h"
#include "envoy/admin/v3/server_info.pb.h"
#include "google/protobuf/struct.pb.h"
#include "proxy/admin/json.h"
#include "proxy/admin/stats.h"
#include "proxy/base/log.h"
#include "proxy/base/strings.h"
#include "proxy/base/version.h"
#include "proxy/server/resource_pages.h"

namespace convoy::server {

namespace {

using admin::kPlainText;
using admin::Request;
using admin::Response;

Response json(const google::protobuf::Message& message) {
  absl::StatusOr<std::string> text = admin::toJson(message, admin::Defaults::Shown);
  if (!text.ok()) return {500, kPlainText, absl::StrCat(text.status().message(), "\n")};
  return {200, admin::kJson, *std::move(text)};
}

envoy::admin::v3::ServerInfo::State stateOf(const Server& server) {
  if (server.healthCheckFailed()) return envoy::admin::v3::ServerInfo::DRAINING;
  switch (server.state()) {
    case Server::State::Initializing:
      return envoy::admin::v3::ServerInfo::INITIALIZING;
    case Server::State::Live:
      return envoy::admin::v3::ServerInfo::LIVE;
    default:
      return envoy::admin::v3::ServerInfo::DRAINING;
  }
}

Response ready(const Server& server) {
  const auto state = stateOf(server);
  const int status = state == envoy::admin::v3::ServerInfo::LIVE ? 200 : 503;
  return {status, kPlainText, envoy::admin::v3::ServerInfo::State_Name(state) + "\n"};
}

Response serverInfo(const Server& server) {
  envoy::admin::v3::ServerInfo info;
  info.set_version(std::string(base::kVersion));
  info.set_state(stateOf(server));
  const auto up = std::chrono::duration_cast<std::chrono::seconds>(
      server.timeSource().monotonicNow() - server.startedAt());
  info.mutable_uptime_current_epoch()->set_seconds(up.count());
  info.mutable_uptime_all_epochs()->set_seconds(up.count());
  auto& options = *info.mutable_command_line_options();
  options.set_config_path(server.options().config_path);
  options.set_concurrency(static_cast<uint32_t>(server.workerCount()));
  options.set_service_node(server.bootstrap().node.id);
  options.set_service_cluster(server.bootstrap().node.cluster);
  options.mutable_drain_time()->set_seconds(server.options().drain_time.count());
  info.mutable_node()->ParseFromString(server.bootstrap().node.encoded);
  return json(info);
}

// /stats as text, or for Prometheus.
Response stats(const Server& server, const Request& request, std::string_view format) {
  if (format != "text" && format != "prometheus") {
    return {400, kPlainText,
            absl::StrCat("?format=", base::toAbsl(format),
                         ": write prometheus, or text (the default)\n")};
  }
  const std::string pattern = request.parameter("filter").value_or("");
  const RE2 filter(pattern, RE2::Quiet);
  if (!filter.ok()) {
    return {400, kPlainText, absl::StrCat("?filter=", pattern, ": ", filter.error(), "\n")};
  }
  const admin::StatsChoice choice{pattern.empty() ? nullptr : &filter,
                                  request.parameter("usedonly").has_value()};
  if (format == "text") return {200, kPlainText, admin::renderStats(server.metrics(), choice)};
  return {200, "text/plain; version=0.0.4", admin::renderPrometheus(server.metrics(), choice)};
}

// As envoy.admin.v3.Memory, as far as glibc's allocator knows.
Response memory() {
  const struct mallinfo2 heap = ::mallinfo2();
  google::protobuf::Struct shown;
  const auto set = [&](const char* name, size_t bytes) {
    // 64-bit numbers are strings in protobuf's JSON.
    (*shown.mutable_fields())[name].set_string_value(absl::StrCat(bytes));
  };
  set("allocated", heap.uordblks + heap.hblkhd);
  set("heap_size", heap.arena + heap.hblkhd);
  set("pageheap_free", heap.fordblks);
  size_t resident = 0;
  if (std::FILE* statm = std::fopen("/proc/self/statm", "re"); statm != nullptr) {
    unsigned long pages = 0;
    if (std::fscanf(statm, "%*u %lu", &pages) == 1) {
      resident = pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    }
    std::fclose(statm);
  }
  set("total_physical_bytes", resident);
  return json(shown);
}

Response logging(const Request& request) {
  std::string level = request.parameter("level").value_or("");
  // ?paths=a:debug,b:trace of Envoy: here is one logger.
  if (request.parameter("paths").has_value()) {
    return {400, kPlainText, "?paths= is not supported, there is one logger: write ?level=\n"};
  }
  if (!request.query.empty() && (!request.parameter("level").has_value() ||
                                 request.query.find('&') != std::string_view::npos)) {
    return {400, kPlainText,
            absl::StrCat("?", base::toAbsl(request.query), ": write ?level=LEVEL alone\n")};
  }
  if (!level.empty()) {
    base::LogLevel parsed{};
    if (!base::parseLogLevel(level, &parsed)) {
      return {400, kPlainText,
              absl::StrCat("?level=", level,
                           ": write trace, debug, info, warning, error, critical or off\n")};
    }
    base::setLogLevel(parsed);
  }
  return {200, kPlainText,
          absl::StrCat("active loggers:\n  convoy: ", base::toAbsl(base::text(base::logLevel())),
                       "\n")};
}

void addReadPages(admin::AdminServer& admin, Server* s) {
  const auto read = [&admin](std::string path, std::string help, auto answer) {
    admin.add({std::move(path), std::move(help), false, std::move(answer)});
  };
  read("/ready", "200 when this node serves, else 503", [s](const Request&) { return ready(*s); });
  read("/server_info", "version, state, uptime and options, as JSON",
       [s](const Request&) { return serverInfo(*s); });
  read("/stats",
       "metrics; ?filter=RE2 for names that contain a match, ?usedonly, ?format=prometheus",
       [s](const Request& request) {
         return stats(*s, request, request.parameter("format").value_or("text"));
       });
  read("/stats/prometheus", "metrics for Prometheus; ?filter, ?usedonly",
       [s](const Request& request) { return stats(*s, request, "prometheus"); });
  read("/memory", "what the process has allocated, as JSON",
       [](const Request&) { return memory(); });
}

void addChangingPages(admin::AdminServer& admin, Server* s) {
  const auto change = [&admin](std::string path, std::string help, auto answer) {
    admin.add({std::move(path), std::move(help), true, std::move(answer)});
  };
  const auto done = [] { return Response{200, kPlainText, "OK\n"}; };
  change("/drain_listeners", "accept no more, finish running requests, close connections",
         [s, done](const Request&) {
           s->drainListeners();
           return done();
         });
  change("/healthcheck/fail", "answer 503 on /ready from now on", [s, done](const Request&) {
    s->setHealthCheckFailed(true);
    return done();
  });
  change("/healthcheck/ok", "undo /healthcheck/fail", [s, done](const Request&) {
    s->setHealthCheckFailed(false);
    return done();
  });
  change("/logging", "show the log level; ?level=LEVEL sets it",
         [](const Request& request) { return logging(request); });
  change("/reopen_logs", "open the access logs again, as SIGUSR1 does", [s, done](const Request&) {
    s->reopenLogs();
    return done();
  });
  change("/quitquitquit", "drain and exit, as SIGTERM does", [s, done](const Request&) {
    s->loop().post([s] { s->drainAndStop(); });
    return done();
  });
}

}  // namespace

void addAdminPages(admin::AdminServer& admin, Server& server) {
  addReadPages(admin, &server);
  addChangingPages(admin, &server);
  addResourcePages(admin, server);
}

}  // namespace convoy::server
