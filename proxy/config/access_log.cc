#include "proxy/config/access_log.h"

#include <algorithm>

#include "envoy/config/core/v3/substitution_format_string.pb.h"
#include "google/protobuf/struct.pb.h"
#include "proxy/config/registry.h"
#include "proxy/config/values.h"
#include "proxy/http/log_format_spec.h"

namespace convoy::config {
namespace {

using Format = http::AccessLogSpec::Format;
using envoy::config::core::v3::SubstitutionFormatString;
using envoy::extensions::access_loggers::file::v3::FileAccessLog;
using envoy::extensions::access_loggers::stream::v3::StderrAccessLog;
using envoy::extensions::access_loggers::stream::v3::StdoutAccessLog;

constexpr size_t kMaxFormatBytes = 16 * 1024;

void checkFormat(const std::string& format, std::string_view field, base::FieldReport& report) {
  const auto pieces = http::parseLogFormat(format);
  if (pieces.ok()) return;
  const auto message = pieces.status().message();
  report.error(field, "log_format", format, std::string(message.data(), message.size()));
}

// Keys in alphabetical order: a protobuf map has none.
void setJson(const google::protobuf::Struct& format, http::AccessLogSpec* log,
             base::FieldReport& report) {
  log->format = Format::Json;
  for (const auto& [key, value] : format.fields()) {
    auto at = report.in("", std::string_view(key));
    if (value.kind_case() != google::protobuf::Value::kStringValue) {
      report.error("unsupported_value", "",
                   "must be text with command operators; numbers and nested values are not "
                   "supported yet");
      continue;
    }
    checkFormat(value.string_value(), "", report);
    log->json_fields.emplace_back(key, value.string_value());
  }
  std::sort(log->json_fields.begin(), log->json_fields.end());
}

void setFormat(const SubstitutionFormatString& format, const Context& context,
               http::AccessLogSpec* log, base::FieldReport& report) {
  switch (format.format_case()) {
    case SubstitutionFormatString::kTextFormat:
      log->text_format = format.text_format();
      checkFormat(log->text_format, "text_format", report);
      return;
    case SubstitutionFormatString::kTextFormatSource: {
      auto at = report.in("text_format_source");
      log->text_format =
          readDataSource(format.text_format_source(), kMaxFormatBytes, context, report);
      checkFormat(log->text_format, "", report);
      return;
    }
    case SubstitutionFormatString::kJsonFormat: {
      auto at = report.in("json_format");
      setJson(format.json_format(), log, report);
      return;
    }
    case SubstitutionFormatString::FORMAT_NOT_SET:
      return;
  }
}

template <typename Proto>
http::AccessLogSpec toStreamLog(const Proto& proto, const char* path, const Context& context,
                                base::FieldReport& report) {
  http::AccessLogSpec log;
  log.path = path;
  if (proto.has_log_format()) {
    auto at = report.in("log_format");
    setFormat(proto.log_format(), context, &log, report);
  }
  return log;
}

}  // namespace

std::optional<http::AccessLogSpec> makeFileLog(const FileAccessLog& proto, const Context& context,
                                               base::FieldReport& report) {
  http::AccessLogSpec log;
  log.path = proto.path();
  switch (proto.access_log_format_case()) {
    case FileAccessLog::kFormat:
      log.text_format = proto.format();
      checkFormat(log.text_format, "format", report);
      break;
    case FileAccessLog::kJsonFormat: {
      auto at = report.in("json_format");
      setJson(proto.json_format(), &log, report);
      break;
    }
    case FileAccessLog::kTypedJsonFormat: {
      auto at = report.in("typed_json_format");
      setJson(proto.typed_json_format(), &log, report);
      break;
    }
    case FileAccessLog::kLogFormat: {
      auto at = report.in("log_format");
      setFormat(proto.log_format(), context, &log, report);
      break;
    }
    case FileAccessLog::ACCESS_LOG_FORMAT_NOT_SET:
      break;
  }
  return log;
}

std::optional<http::AccessLogSpec> makeStdoutLog(const StdoutAccessLog& proto,
                                                 const Context& context,
                                                 base::FieldReport& report) {
  return toStreamLog(proto, "/dev/stdout", context, report);
}

std::optional<http::AccessLogSpec> makeStderrLog(const StderrAccessLog& proto,
                                                 const Context& context,
                                                 base::FieldReport& report) {
  return toStreamLog(proto, "/dev/stderr", context, report);
}

std::vector<http::AccessLogSpec> toAccessLogs(
    const google::protobuf::RepeatedPtrField<envoy::config::accesslog::v3::AccessLog>& proto,
    std::string_view field, const Context& context, base::FieldReport& report) {
  std::vector<http::AccessLogSpec> logs;
  for (int i = 0; i < proto.size(); ++i) {
    auto at = report.in(field, static_cast<size_t>(i));
    auto in = report.in("typed_config");
    std::optional<http::AccessLogSpec> log =
        context.registry->access_loggers.make(proto[i].typed_config(), context, report);
    if (log.has_value()) logs.push_back(*std::move(log));
  }
  return logs;
}

}  // namespace convoy::config
