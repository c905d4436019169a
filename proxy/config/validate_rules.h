#pragma once

// Enforces the `validate.rules` options that Envoy's messages carry (protoc-gen-validate), by
// reflection, as Envoy does: ranges, lengths, required fields and oneofs, known enum values, header
// names. Timestamps, and formats such as e-mail addresses, are not implemented: a test says that no
// linked message has such a rule.

#include <string>
#include <vector>

#include "google/protobuf/message.h"
#include "proxy/base/field_report.h"

namespace convoy::config {

// The rules of the message's own fields and oneofs, elements and map entries included; not those of
// messages below. Errors are at the report's present field.
void checkRules(const google::protobuf::Message& message, base::FieldReport& report);

// Rules of this type's fields that checkRules() does not implement, as "field: rule".
std::vector<std::string> unimplementedRules(const google::protobuf::Descriptor& type);

}  // namespace convoy::config
