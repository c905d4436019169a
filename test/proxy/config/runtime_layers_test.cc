#include "proxy/config/runtime_layers.h"

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

struct Read {
  RuntimeLimits limits;
  Lines errors;
  Lines notes;
};

Read read(const std::string& yaml) {
  base::FieldReport report;
  Read result;
  result.limits =
      readRuntimeLayers(fromYaml<envoy::config::bootstrap::v3::LayeredRuntime>(yaml), report);
  result.errors = brief(report.errors());
  result.notes = brief(report.notes());
  return result;
}

TEST(RuntimeLayers, KeysWithDotsAndNestedKeys) {
  const Read result = read(R"(
layers:
- name: first
  static_layer:
    overload.global_downstream_max_connections: 100
    envoy.resource_limits.listener.web.connection_limit: "7"
- name: admin
  admin_layer: {}
- name: second
  static_layer:
    overload: {global_downstream_max_connections: 200}
    envoy: {resource_limits: {listener: {api: {connection_limit: 8}}}}
)");
  EXPECT_EQ(result.errors, Lines());
  EXPECT_EQ(result.notes, Lines());
  EXPECT_EQ(result.limits.downstream_connections, 200u);  // the later layer
  EXPECT_EQ(result.limits.listener_connections,
            (std::map<std::string, uint64_t>{{"web", 7}, {"api", 8}}));
}

TEST(RuntimeLayers, OtherKeysAreNoted) {
  const Read result = read(
      "layers: [{name: x, static_layer: {re2.max_program_size.error_level: 100, "
      "envoy.resource_limits.listener..connection_limit: 5, a: {b: [1]}}}]");
  EXPECT_EQ(result.errors, Lines());
  Lines notes = result.notes;
  std::sort(notes.begin(), notes.end());
  const std::string at = "layered_runtime.layers[0].static_layer";
  EXPECT_EQ(notes, Lines({at + "[\"a\"][\"b\"]",
                          at + "[\"envoy.resource_limits.listener..connection_limit\"]",
                          at + "[\"re2.max_program_size.error_level\"]"}));
  EXPECT_TRUE(result.limits.listener_connections.empty());
}

TEST(RuntimeLayers, ALimitIsAWholeNumber) {
  for (const char* value : {"-1", "1.5", "many", "true", "[1]", "1e300"}) {
    const Read result =
        read("layers: [{name: x, static_layer: {overload.global_downstream_max_connections: " +
             std::string(value) + "}}]");
    EXPECT_EQ(result.errors, Lines({"layered_runtime.layers[0].static_layer"
                                    "[\"overload.global_downstream_max_connections\"]: type: "}))
        << value;
    EXPECT_EQ(result.limits.downstream_connections, std::nullopt);
  }
}

}  // namespace
}  // namespace convoy::config
