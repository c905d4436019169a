#pragma once

// Access loggers: envoy.config.accesslog.v3.AccessLog and the loggers that it may hold.

#include <optional>
#include <vector>

#include "envoy/config/accesslog/v3/accesslog.pb.h"
#include "envoy/extensions/access_loggers/file/v3/file.pb.h"
#include "envoy/extensions/access_loggers/stream/v3/stream.pb.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/http/spec.h"

namespace convoy::config {

std::vector<http::AccessLogSpec> toAccessLogs(
    const google::protobuf::RepeatedPtrField<envoy::config::accesslog::v3::AccessLog>& proto,
    std::string_view field, const Context& context, base::FieldReport& report);

// Factories, for the registry.
std::optional<http::AccessLogSpec> makeFileLog(
    const envoy::extensions::access_loggers::file::v3::FileAccessLog& proto, const Context& context,
    base::FieldReport& report);
std::optional<http::AccessLogSpec> makeStdoutLog(
    const envoy::extensions::access_loggers::stream::v3::StdoutAccessLog& proto,
    const Context& context, base::FieldReport& report);
std::optional<http::AccessLogSpec> makeStderrLog(
    const envoy::extensions::access_loggers::stream::v3::StderrAccessLog& proto,
    const Context& context, base::FieldReport& report);

}  // namespace convoy::config
