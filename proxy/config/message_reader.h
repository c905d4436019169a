#pragma once

// A document tree to a protobuf message, by protobuf's JSON mapping (field names in either form,
// enums by name or number, wrappers, durations, Struct, maps, Any by "@type"). A type inside an Any
// must be linked. null means unset. Every error goes into the report, with its field path;
// positions are found by path.

#include "google/protobuf/message.h"
#include "proxy/base/field_report.h"
#include "proxy/config/document.h"

namespace convoy::config {

struct ReadOptions {
  // For files that people write by hand for our own API: enums also in lower case and without the
  // prefix of their type (`round_robin` for ALGORITHM_ROUND_ROBIN), durations also as "250ms",
  // "5m", "1h".
  bool for_people = false;
};

// `message` must be of a generated type.
void readMessage(const DocumentNode& node, const ReadOptions& options,
                 google::protobuf::Message* message, base::FieldReport* report);

}  // namespace convoy::config
