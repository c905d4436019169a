#include "proxy/config/health_check.h"

#include <algorithm>
#include <utility>

#include "proxy/config/cluster_policy.h"
#include "proxy/config/header_edits.h"
#include "proxy/config/stable_hash.h"
#include "proxy/config/tls_context.h"
#include "proxy/config/values.h"

namespace convoy::config {
namespace {

using envoy::config::cluster::v3::Cluster;
using envoy::config::core::v3::HealthCheck;
using upstream::HealthCheckSpec;
namespace core = envoy::config::core::v3;

constexpr size_t kMostBody = 1024 * 1024;
constexpr size_t kJsonBody = 64 * 1024;
constexpr Milliseconds kNoTrafficInterval{60'000};  // Envoy's
constexpr int kMostArguments = 64;
constexpr size_t kMostArgumentBytes = 4096;

int digitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// `text` is hexadecimal, as Envoy has it.
std::string toBytes(const HealthCheck::Payload& proto, base::FieldReport& report) {
  if (proto.payload_case() == HealthCheck::Payload::kBinary) return proto.binary();
  const std::string& text = proto.text();
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = digitOf(text[i]);
    const int low = digitOf(text[i + 1]);
    if (high < 0 || low < 0) break;
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  if (bytes.size() * 2 != text.size()) {
    report.error("text", "syntax", text, "must be bytes in hexadecimal, such as \"504f4e47\"");
  }
  return bytes;
}

template <typename Payloads>
std::vector<std::string> toPieces(const Payloads& protos, base::FieldReport& report) {
  std::vector<std::string> pieces;
  for (int i = 0; i < protos.size(); ++i) {
    auto at = report.in("receive", static_cast<size_t>(i));
    pieces.push_back(toBytes(protos[i], report));
  }
  return pieces;
}

template <typename Ranges>
std::vector<upstream::StatusRange> toRanges(const Ranges& protos, std::string_view field,
                                            base::FieldReport& report) {
  std::vector<upstream::StatusRange> ranges;
  for (int i = 0; i < protos.size(); ++i) {
    auto at = report.in(field, static_cast<size_t>(i));
    const int64_t start = protos[i].start();
    const int64_t end = protos[i].end();
    if (start < 100 || end > 600 || start >= end) {
      report.error("range", std::to_string(start) + " to " + std::to_string(end),
                   "must be statuses from 100 to 599, the end not included and behind the start");
      continue;
    }
    ranges.push_back({static_cast<uint16_t>(start), static_cast<uint16_t>(end)});
  }
  return ranges;
}

// A check's request has one header that can be there already: User-Agent.
template <typename Headers>
std::vector<upstream::Header> toHeaders(const Headers& protos, std::string_view field,
                                        base::FieldReport& report) {
  std::vector<upstream::Header> headers;
  for (route::HeaderEdit& edit : toHeaderEdits(protos, field, report)) {
    using Action = route::HeaderEdit::Action;
    if (!edit.format.empty()) {
      report.error(field, "unsupported_value", edit.name,
                   "the header's value is literal text here: % has no meaning");
      continue;
    }
    const bool there = edit.name == "user-agent";
    if (edit.action == Action::OverwriteIfExists && !there) continue;
    if (edit.action == Action::AddIfAbsent && there) continue;
    headers.emplace_back(std::move(edit.name), std::move(edit.value));
  }
  return headers;
}

void setBody(const HealthCheck::HttpHealthCheck& proto, upstream::HttpCheckSpec* spec,
             base::FieldReport& report) {
  if (proto.has_send()) {
    auto at = report.in("send");
    spec->send = toBytes(proto.send(), report);
  }
  spec->receive = toPieces(proto.receive(), report);
  if (spec->json) spec->body_limit = kJsonBody;
  if (!proto.has_response_buffer_size()) return;
  const uint64_t size = proto.response_buffer_size().value();
  if (size > kMostBody) {
    report.error("response_buffer_size", "range", std::to_string(size),
                 "must be at most 1048576; 0 means that, too");
  }
  spec->body_limit = size == 0 ? kMostBody : static_cast<size_t>(size);
}

upstream::HttpCheckSpec toHttp(const HealthCheck::HttpHealthCheck& proto, bool json,
                               base::FieldReport& report) {
  upstream::HttpCheckSpec spec;
  if (proto.method() != core::METHOD_UNSPECIFIED) {
    spec.method = core::RequestMethod_Name(proto.method());
  }
  spec.host = proto.host();
  spec.path = proto.path();
  if (!spec.path.starts_with('/')) {
    report.error("path", "syntax", proto.path(), "must begin with \"/\"");
  }
  spec.json = json;
  setBody(proto, &spec, report);
  if (!proto.expected_statuses().empty()) {
    spec.expected = toRanges(proto.expected_statuses(), "expected_statuses", report);
  }
  spec.retriable = toRanges(proto.retriable_statuses(), "retriable_statuses", report);
  spec.headers = toHeaders(proto.request_headers_to_add(), "request_headers_to_add", report);
  spec.removed =
      toRemovedHeaders(proto.request_headers_to_remove(), "request_headers_to_remove", report);
  if (proto.codec_client_type() == envoy::type::v3::HTTP3) {
    report.error("codec_client_type", "unsupported_value", "HTTP3", "write HTTP1 or HTTP2");
  }
  spec.http2 = proto.codec_client_type() == envoy::type::v3::HTTP2;
  if (proto.has_service_name_matcher()) {
    auto at = report.in("service_name_matcher");
    spec.service_name = toStringMatch(proto.service_name_matcher(), report);
  }
  return spec;
}

upstream::TcpCheckSpec toTcp(const HealthCheck::TcpHealthCheck& proto, base::FieldReport& report) {
  upstream::TcpCheckSpec spec;
  if (proto.has_send()) {
    auto at = report.in("send");
    spec.send = toBytes(proto.send(), report);
  }
  spec.receive = toPieces(proto.receive(), report);
  return spec;
}

upstream::GrpcCheckSpec toGrpc(const HealthCheck::GrpcHealthCheck& proto,
                               base::FieldReport& report) {
  return {.service = proto.service_name(),
          .authority = proto.authority(),
          .metadata = toHeaders(proto.initial_metadata(), "initial_metadata", report)};
}

void setChecker(const HealthCheck& proto, bool json, const Context& context, HealthCheckSpec* spec,
                base::FieldReport& report) {
  switch (proto.health_checker_case()) {
    case HealthCheck::kTcpHealthCheck: {
      auto at = report.in("tcp_health_check");
      spec->checker = toTcp(proto.tcp_health_check(), report);
      return;
    }
    case HealthCheck::kHttpHealthCheck: {
      auto at = report.in("http_health_check");
      spec->checker = toHttp(proto.http_health_check(), json, report);
      return;
    }
    case HealthCheck::kGrpcHealthCheck: {
      auto at = report.in("grpc_health_check");
      spec->checker = toGrpc(proto.grpc_health_check(), report);
      return;
    }
    case HealthCheck::kCustomHealthCheck: {
      auto at = report.in("custom_health_check");
      auto in = report.in("typed_config");
      auto made = context.registry->health_checkers.make(proto.custom_health_check().typed_config(),
                                                         context, report);
      if (made.has_value()) spec->checker = *std::move(made);
      return;
    }
    default:
      return;  // the rules of the message have said it
  }
}

void setTimes(const HealthCheck& proto, HealthCheckSpec* spec, base::FieldReport& report) {
  const auto read = [&report](bool set, const google::protobuf::Duration& duration,
                              std::string_view field, Milliseconds otherwise) {
    return set ? toMilliseconds(duration, field, report) : otherwise;
  };
  spec->timeout = toMilliseconds(proto.timeout(), "timeout", report);
  spec->interval = toMilliseconds(proto.interval(), "interval", report);
  spec->initial_jitter = toMilliseconds(proto.initial_jitter(), "initial_jitter", report);
  spec->interval_jitter = toMilliseconds(proto.interval_jitter(), "interval_jitter", report);
  spec->interval_jitter_percent = proto.interval_jitter_percent();
  spec->no_traffic_interval = read(proto.has_no_traffic_interval(), proto.no_traffic_interval(),
                                   "no_traffic_interval", kNoTrafficInterval);
  spec->no_traffic_healthy_interval =
      read(proto.has_no_traffic_healthy_interval(), proto.no_traffic_healthy_interval(),
           "no_traffic_healthy_interval", spec->no_traffic_interval);
  spec->unhealthy_interval = read(proto.has_unhealthy_interval(), proto.unhealthy_interval(),
                                  "unhealthy_interval", spec->interval);
  spec->unhealthy_edge_interval =
      read(proto.has_unhealthy_edge_interval(), proto.unhealthy_edge_interval(),
           "unhealthy_edge_interval", spec->unhealthy_interval);
  spec->healthy_edge_interval =
      read(proto.has_healthy_edge_interval(), proto.healthy_edge_interval(),
           "healthy_edge_interval", spec->interval);
}

uint32_t toThreshold(const google::protobuf::UInt32Value& proto, std::string_view field,
                     base::FieldReport& report) {
  if (proto.value() == 0) report.error(field, "range", "0", "must be at least 1");
  return std::max(proto.value(), 1u);
}

std::shared_ptr<const net::TransportSpec> transportOf(
    const HealthCheck& proto, const HealthCheckSpec& spec,
    const std::shared_ptr<const net::TransportSpec>& transport) {
  const auto& wanted = proto.tls_options().alpn_protocols();
  if (!wanted.empty()) return withAlpn(transport, {wanted.begin(), wanted.end()});
  if (const auto* http = std::get_if<upstream::HttpCheckSpec>(&spec.checker)) {
    return withAlpn(transport, {http->http2 ? "h2" : "http/1.1"});
  }
  if (std::holds_alternative<upstream::GrpcCheckSpec>(spec.checker)) {
    return withAlpn(transport, {"h2"});
  }
  return std::holds_alternative<upstream::TcpCheckSpec>(spec.checker) ? transport : nullptr;
}

}  // namespace

std::shared_ptr<const HealthCheckSpec> toHealthCheck(
    const Cluster& proto, const std::shared_ptr<const net::TransportSpec>& transport,
    const Context& context, base::FieldReport& report) {
  const auto policy = clusterPolicy<ext::HealthCheckPolicy>(proto, report);
  if (proto.health_checks().empty()) return nullptr;
  if (proto.health_checks_size() > 1) {
    report.error("health_checks", "too_many", std::to_string(proto.health_checks_size()),
                 "a cluster has one health check");
  }
  auto at = report.in("health_checks", 0);
  const HealthCheck& check = proto.health_checks(0);
  auto spec = std::make_shared<HealthCheckSpec>();
  setChecker(check, policy.json(), context, spec.get(), report);
  setTimes(check, spec.get(), report);
  spec->unhealthy_threshold =
      toThreshold(check.unhealthy_threshold(), "unhealthy_threshold", report);
  spec->healthy_threshold = toThreshold(check.healthy_threshold(), "healthy_threshold", report);
  if (check.alt_port().value() > 65535) {
    report.error("alt_port", "range", std::to_string(check.alt_port().value()),
                 "must be at most 65535");
  }
  spec->alt_port = static_cast<uint16_t>(check.alt_port().value());
  spec->reuse_connection = !check.has_reuse_connection() || check.reuse_connection().value();
  spec->log_failures = check.always_log_health_check_failures();
  spec->log_successes = check.always_log_health_check_success();
  spec->transport = transportOf(check, *spec, transport);
  spec->hash = stableHash(check) ^ (policy.json() ? stableHash(policy) : 0);
  return spec;
}

std::optional<upstream::CommandCheckSpec> makeCommandCheck(const ext::CommandHealthCheck& proto,
                                                           const Context&,
                                                           base::FieldReport& report) {
  const std::string& name = proto.command();
  if (name.empty() || name.size() > 255 || name.front() == '.' ||
      std::any_of(name.begin(), name.end(), [](char c) { return c <= ' ' || c == '/'; })) {
    report.error("command", "syntax", name,
                 "must be the name of a file in the node's --health-command-dir, without \"/\" and "
                 "blanks");
  }
  if (proto.arguments_size() > kMostArguments) {
    report.error("arguments", "too_many", std::to_string(proto.arguments_size()),
                 "there may be at most 64");
  }
  for (int i = 0; i < proto.arguments_size(); ++i) {
    auto at = report.in("arguments", static_cast<size_t>(i));
    const std::string& argument = proto.arguments(i);
    if (argument.size() > kMostArgumentBytes || argument.find('\0') != std::string::npos) {
      report.error("syntax", argument, "must be at most 4096 bytes, none of them zero");
    }
  }
  return upstream::CommandCheckSpec{name, {proto.arguments().begin(), proto.arguments().end()}};
}

}  // namespace convoy::config
