#pragma once

// The version of the control plane, as it says it of itself.

namespace convoy::controlplane {

inline constexpr char kVersion[] = "0.1.0";

}  // namespace convoy::controlplane
