#pragma once

// UTF-8 (RFC 3629): what a protobuf string must be.

#include <cstdint>
#include <string>
#include <string_view>

namespace convoy::config {

bool isUtf8(std::string_view text);

// `code` is a Unicode scalar value.
void appendUtf8(uint32_t code, std::string* out);

}  // namespace convoy::config
