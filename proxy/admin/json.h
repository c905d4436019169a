#pragma once

// Messages as JSON, by protobuf's own writer, with the field names of the .proto files, as Envoy's
// admin pages have them.

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace convoy::admin {

enum class Defaults : uint8_t {
  Omitted,  // a field that is not set, or has the default, is left out
  Shown,    // single values are always there
};

// Error: something in it has no JSON form, such as a Duration out of range.
absl::StatusOr<std::string> toJson(const google::protobuf::Message& message,
                                   Defaults defaults = Defaults::Omitted);

}  // namespace convoy::admin
