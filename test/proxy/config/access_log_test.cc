#include "proxy/config/access_log.h"

#include "envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.pb.h"
#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;

struct Converted {
  std::vector<http::AccessLogSpec> logs;
  Lines errors;
};

Converted convert(const std::string& list, bool read_files = false) {
  const auto proto = fromYaml<HttpConnectionManager>("access_log: " + list);
  Context context = testContext();
  context.read_files = read_files;
  base::FieldReport report;
  Converted converted;
  converted.logs = toAccessLogs(proto.access_log(), "access_log", context, report);
  converted.errors = brief(report.errors());
  return converted;
}

std::string fileLog(const std::string& fields) {
  return "[{name: x, typed_config: {\"@type\": type.googleapis.com/"
         "envoy.extensions.access_loggers.file.v3.FileAccessLog, path: /log, " +
         fields + "}}]";
}

std::string streamLog(const std::string& type) {
  return "[{name: x, typed_config: {\"@type\": type.googleapis.com/"
         "envoy.extensions.access_loggers.stream.v3." +
         type + ", log_format: {text_format: \"%PROTOCOL%\\n\"}}}]";
}

TEST(AccessLog, Formats) {
  using Fields = std::vector<std::pair<std::string, std::string>>;
  struct Case {
    std::string yaml;
    std::string text;
    Fields json;
  };
  const Case cases[] = {
      {"", "", {}},
      {"format: \"%DURATION%\"", "%DURATION%", {}},
      {"log_format: {text_format: \"a %DURATION%\\n\"}", "a %DURATION%\n", {}},
      {"log_format: {text_format_source: {inline_string: \"%DURATION%\"}}", "%DURATION%", {}},
      // Keys are sorted.
      {"log_format: {json_format: {b: \"%DURATION%\", a: x}}",
       "",
       {{"a", "x"}, {"b", "%DURATION%"}}},
      {"json_format: {k: v}", "", {{"k", "v"}}},
      {"typed_json_format: {k: v}", "", {{"k", "v"}}},
  };
  for (const Case& c : cases) {
    const Converted converted = convert(fileLog(c.yaml));
    EXPECT_EQ(converted.errors, Lines()) << c.yaml;
    ASSERT_EQ(converted.logs.size(), 1u) << c.yaml;
    EXPECT_EQ(converted.logs[0].path, "/log");
    EXPECT_EQ(converted.logs[0].text_format, c.text) << c.yaml;
    EXPECT_EQ(converted.logs[0].json_fields, c.json) << c.yaml;
    EXPECT_EQ(converted.logs[0].format, c.json.empty() ? http::AccessLogSpec::Format::Text
                                                       : http::AccessLogSpec::Format::Json);
  }
}

TEST(AccessLog, Streams) {
  const Converted out = convert(streamLog("StdoutAccessLog"));
  ASSERT_EQ(out.logs.size(), 1u);
  EXPECT_EQ(out.logs[0].path, "/dev/stdout");
  EXPECT_EQ(out.logs[0].text_format, "%PROTOCOL%\n");
  const Converted err = convert(streamLog("StderrAccessLog"));
  ASSERT_EQ(err.logs.size(), 1u);
  EXPECT_EQ(err.logs[0].path, "/dev/stderr");
}

TEST(AccessLog, Errors) {
  const std::string at = "access_log[0].typed_config";
  const ErrorCase cases[] = {
      {"[{name: x}]", {at + ": required: "}},
      {"[{name: x, typed_config: {\"@type\": type.googleapis.com/"
       "envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig}}]",
       {at + ": unsupported_extension: "
             "envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig"}},
      {fileLog("format: \"%NOPE%\""), {at + ".format: log_format: %NOPE%"}},
      {fileLog("log_format: {text_format: \"100%\"}"),
       {at + ".log_format.text_format: log_format: 100%"}},
      {fileLog("log_format: {text_format_source: {inline_string: \"%REQ%\"}}"),
       {at + ".log_format.text_format_source: log_format: %REQ%"}},
      {fileLog("log_format: {json_format: {a: \"%NOPE%\", b: 5, c: {d: e}}}"),
       {at + ".log_format.json_format[\"a\"]: log_format: %NOPE%",
        at + ".log_format.json_format[\"b\"]: unsupported_value: ",
        at + ".log_format.json_format[\"c\"]: unsupported_value: "}},
  };
  for (const ErrorCase& c : cases) {
    Lines errors = convert(c.yaml).errors;
    std::sort(errors.begin(), errors.end());
    EXPECT_EQ(errors, c.errors) << c.yaml;
  }
}

}  // namespace
}  // namespace convoy::config
