#pragma once

// Tables of what the control plane answers, for people.

#include <chrono>
#include <ostream>
#include <string>
#include <vector>

#include "api/convoy/v1/config_service.pb.h"
#include "api/convoy/v1/node.pb.h"
#include "api/convoy/v1/revision.pb.h"
#include "tools/ctl/table.h"

namespace convoy::tools::ctl {

// `now`: how long certificates hold on is counted from it.
void printResources(const std::vector<v1::Resource>& resources,
                    std::chrono::system_clock::time_point now, std::ostream& out);

// "created pool web", one line for each change; with contents, what differs below it.
void printChanges(const google::protobuf::RepeatedPtrField<v1::Change>& changes, int64_t count,
                  std::ostream& out);
// "1 created, 2 updated".
std::string countChanges(const google::protobuf::RepeatedPtrField<v1::Change>& changes,
                         int64_t count);

// Newest first, as History answers.
void printHistory(const std::vector<v1::Revision>& revisions, bool contents, std::ostream& out);

// The nodes, then what they refuse, which backends fail their checks, and what has no effect there.
void printNodes(const std::vector<v1::Node>& nodes, std::ostream& out);
// The same, a few nodes at a time into one table.
Table nodeTable();
void printNodes(const std::vector<v1::Node>& nodes, Table& table, std::ostream& out);
std::string nodeErrorText(const v1::Node& node, const v1::NodeError& error);

// "2026-01-31T12:00:00Z"; empty if unset.
std::string timeText(const google::protobuf::Timestamp& time);

}  // namespace convoy::tools::ctl
