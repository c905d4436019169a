#pragma once

// Bytes and hash of a message that are equal for equal messages, maps included; not across builds.

#include <cstdint>
#include <string>

#include "google/protobuf/message.h"

namespace convoy::config {

std::string stableBytes(const google::protobuf::Message& message);

// 64-bit FNV-1a of stableBytes().
uint64_t stableHash(const google::protobuf::Message& message);

}  // namespace convoy::config
