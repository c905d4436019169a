#pragma once

// Serialisation that gives equal bytes for equal messages (map entries in order), within one
// version of the protobuf library. Hashes and comparisons of stored bytes rest on it.

#include <string>

#include "google/protobuf/message_lite.h"

namespace convoy::controlplane {

std::string deterministicBytes(const google::protobuf::MessageLite& message);

}  // namespace convoy::controlplane
