#pragma once

// A hash of content that is the same on every machine and in every version of Convoy: the first
// 64 bits of SHA-256. Versions of xDS resources and checksums of stored rows are made of it, so it
// must never change.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace convoy::controlplane {

uint64_t contentHash(absl::string_view content);

// The hash as 16 lower-case hexadecimal digits.
std::string contentHashText(absl::string_view content);

}  // namespace convoy::controlplane
