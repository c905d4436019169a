#include "proxy/config/http2_options.h"

#include "gtest/gtest.h"
#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

using envoy::config::core::v3::Http2ProtocolOptions;

TEST(Http2Options, UnsetFieldsAreTheCodecsOwn) {
  base::FieldReport report;
  const http::H2Options options = toHttp2Options(Http2ProtocolOptions(), report);
  EXPECT_TRUE(report.ok());
  const http::H2Options defaults;
  EXPECT_EQ(options.max_concurrent_streams, defaults.max_concurrent_streams);
  EXPECT_EQ(options.stream_window, defaults.stream_window);
  EXPECT_EQ(options.connection_window, defaults.connection_window);
  EXPECT_EQ(options.header_table, defaults.header_table);
  EXPECT_FALSE(options.allow_extended_connect);
}

TEST(Http2Options, HpackTablesAreBounded) {
  for (const auto& [size, ok] : {std::pair("1048576", true), std::pair("1048577", false)}) {
    base::FieldReport report;
    toHttp2Options(fromYaml<Http2ProtocolOptions>(std::string("{hpack_table_size: ") + size + "}"),
                   report);
    EXPECT_EQ(report.ok(), ok) << size;
  }
}

}  // namespace
}  // namespace convoy::config
