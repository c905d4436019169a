#pragma once

#include <string_view>

namespace convoy::base {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace convoy::base
