#pragma once

// What the node tells about itself in its Node message: who it is, always, and a
// convoy.ext.NodeReport once one is set, with the fields of resources in force that have no effect
// here. A pure class. Owner: AdsClient.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/convoy/ext/node_report.pb.h"
#include "envoy/config/core/v3/base.pb.h"
#include "proxy/xds/decoder.h"

namespace convoy::xds {

class NodeReporter {
 public:
  static constexpr int kMaxIgnoredFields = 1000;  // node_report.proto

  // encoded_node: serialised envoy.config.core.v3.Node.
  explicit NodeReporter(const std::string& encoded_node);

  // Everything but `ignored_fields` and their count. The same as before is nothing new.
  void setReport(ext::NodeReport report);
  // Replaces what was known of this resource.
  void setNotes(const std::string& type_url, Notes notes);
  void forget(const std::string& type_url, std::string_view name);

  // Fields of all resources together.
  uint64_t ignoredCount() const { return ignored_count_; }

  // A report is set, and something of it changed since node() was called.
  bool due() const { return due_; }
  const envoy::config::core::v3::Node& node();

 private:
  struct Ignored {
    std::vector<base::FieldNote> notes;
    uint64_t count = 0;
  };

  envoy::config::core::v3::Node node_;
  std::optional<ext::NodeReport> report_;
  std::string report_as_set_;
  std::map<std::pair<std::string, std::string>, Ignored> ignored_;  // by type and name
  uint64_t ignored_count_ = 0;                                      // its sum
  bool due_ = false;
};

}  // namespace convoy::xds
