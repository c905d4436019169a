#pragma once

// The version that every binary of this tree reports; set by hand when a release is cut.

#include <string_view>

namespace convoy::base {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace convoy::base
