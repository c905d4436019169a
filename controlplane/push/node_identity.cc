#include "controlplane/push/node_identity.h"

#include "absl/strings/str_cat.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/util/json_util.h"

namespace convoy::controlplane::push {

namespace {

constexpr size_t kMostIdBytes = 256;
constexpr char kReport[] = "convoy.ext.NodeReport";

std::string userAgentOf(const envoy::config::core::v3::Node& node) {
  if (node.has_user_agent_build_version()) {
    const auto& version = node.user_agent_build_version().version();
    return absl::StrCat(node.user_agent_name(), "/", version.major_number(), ".",
                        version.minor_number(), ".", version.patch());
  }
  if (node.user_agent_version().empty()) return node.user_agent_name();
  return absl::StrCat(node.user_agent_name(), "/", node.user_agent_version());
}

}  // namespace

absl::StatusOr<NodeIdentity> identityOf(const envoy::config::core::v3::Node& node) {
  if (node.id().empty() || node.id().size() > kMostIdBytes) {
    return absl::InvalidArgumentError(
        "the first request of a stream needs node.id, of 1 to 256 bytes; set node.id in the "
        "bootstrap of this node");
  }
  NodeIdentity identity;
  identity.id = node.id();
  identity.cluster = node.cluster();
  identity.user_agent = userAgentOf(node);
  const auto found = node.metadata().fields().find("labels");
  if (found != node.metadata().fields().end()) {
    for (const auto& [key, value] : found->second.struct_value().fields()) {
      if (value.kind_case() == google::protobuf::Value::kStringValue) {
        identity.labels[key] = value.string_value();
      }
    }
  }
  return identity;
}

std::optional<ext::NodeReport> reportOf(const envoy::config::core::v3::Node& node) {
  const auto found = node.metadata().fields().find(kReport);
  if (found == node.metadata().fields().end()) return std::nullopt;
  std::string json;
  ext::NodeReport report;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const bool good =
      google::protobuf::util::MessageToJsonString(found->second.struct_value(), &json).ok() &&
      google::protobuf::util::JsonStringToMessage(json, &report, options).ok();
  if (!good) return std::nullopt;
  return report;
}

}  // namespace convoy::controlplane::push
