#include "tools/ctl/yaml_writer.h"

#include <gtest/gtest.h>

#include "api/convoy/v1/config.pb.h"
#include "google/protobuf/util/message_differencer.h"
#include "proxy/config/yaml_loader.h"

namespace convoy::tools::ctl {
namespace {

TEST(YamlWriterTest, QuotesWhatYamlWouldTakeForSomethingElse) {
  const struct {
    const char* text;
    const char* yaml;
  } kCases[] = {
      {"web", "web"},
      {"10.0.0.1:8080", "10.0.0.1:8080"},
      {"unix:/run/a.sock", "unix:/run/a.sock"},
      {"/api/", "/api/"},
      {"5s", "5s"},
      {"0.250s", "0.250s"},
      {"", "\"\""},
      {"true", "\"true\""},
      {"No", "\"No\""},
      {"null", "\"null\""},
      {"12", "\"12\""},
      {"1.5", "\"1.5\""},
      {"0x1f", "\"0x1f\""},
      {"[::1]:80", "\"[::1]:80\""},
      {"*.example.com", "\"*.example.com\""},
      {"key:", "\"key:\""},
      {"a: b", "\"a: b\""},
      {"a\nb\"\\", "\"a\\nb\\\"\\\\\""},
      {"\x01", "\"\\x01\""},
      {"- a", "\"- a\""},
  };
  for (const auto& test : kCases) EXPECT_EQ(yamlScalar(test.text), test.yaml) << test.text;
}

TEST(YamlWriterTest, WritesAsPeopleDo) {
  v1::Config config;
  v1::Listener& listener = *config.add_listeners();
  listener.set_name("public");
  listener.set_address("0.0.0.0:8080");
  listener.add_routes()->set_pool("web");
  listener.mutable_access_log();
  EXPECT_EQ(toYaml(config),
            "listeners:\n"
            "- name: public\n"
            "  address: 0.0.0.0:8080\n"
            "  routes:\n"
            "  - pool: web\n"
            "  access_log: {}\n");
  EXPECT_EQ(toYaml(v1::Config()), "{}\n");
}

TEST(YamlWriterTest, WhatIsWrittenReadsBackTheSame) {
  v1::Config config;
  v1::Listener& listener = *config.add_listeners();
  listener.set_name("on");
  listener.set_address("[::1]:80");
  listener.mutable_idle_timeout()->set_seconds(90);
  (*listener.mutable_nodes()->mutable_labels())["1"] = "true";
  v1::Route& route = *listener.add_routes();
  route.mutable_match()->set_path_prefix("/a b");
  route.mutable_match()->add_hosts("*.example.com");
  route.mutable_direct_response()->set_status(200);
  route.mutable_direct_response()->set_body("line one\nline \"two\" \xc3\xa9\t#");
  v1::Pool& pool = *config.add_pools();
  pool.set_name("web");
  pool.set_algorithm(v1::ALGORITHM_ROUND_ROBIN);
  pool.add_backends()->set_weight(3);

  v1::Config read;
  const config::Loaded loaded = config::loadYaml(toYaml(config), "a.yaml", &read);
  EXPECT_TRUE(loaded.ok()) << config::describeErrors(loaded.errors, loaded.error_count);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(config, read)) << toYaml(config);

  v1::Config from_json;
  EXPECT_TRUE(config::loadYaml(toJson(config), "a.json", &from_json).ok());
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(config, from_json));
}

}  // namespace
}  // namespace convoy::tools::ctl
