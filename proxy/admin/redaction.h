#pragma once

// Takes secrets out of a configuration before it is shown: every field that Envoy's protos mark
// with udpa.annotations.sensitive, with all that is below it, and the credentials of
// google_grpc, which they do not mark. Text and bytes become "[redacted]"; numbers, flags and enums
// are cleared; names and structure stay.
//
// What cannot be looked into is not shown: an Any of a type that this build does not have, that
// does not parse, or that is nested deeper than kMaxRedactionDepth, and the value of a TypedStruct,
// become a Struct {"not_shown": reason}. The result can therefore always be printed as JSON.
//
// Pure functions.

#include "google/protobuf/message.h"

namespace convoy::admin {

inline constexpr int kMaxRedactionDepth = 64;  // of Any inside Any

void redact(google::protobuf::Message& message);

// True if the field's value is never shown.
bool isSensitive(const google::protobuf::FieldDescriptor& field);

}  // namespace convoy::admin
