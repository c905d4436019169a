#pragma once

// The five kinds of xDS resource that a configuration compiles to.

#include <array>
#include <optional>

#include "absl/strings/string_view.h"

namespace convoy::controlplane::compile {

// In the order in which additions are pushed: what is named comes before what names it. Secrets are
// asked for by clients that have what names them, and wait for nothing.
enum class Type {
  Cluster,
  Assignment,  // envoy.config.endpoint.v3.ClusterLoadAssignment
  Listener,
  RouteConfiguration,
  Secret,
};

inline constexpr int kTypeCount = 5;
inline constexpr std::array<Type, kTypeCount> kTypes = {
    Type::Cluster, Type::Assignment, Type::Listener, Type::RouteConfiguration, Type::Secret};

inline constexpr int indexOf(Type type) {
  return static_cast<int>(type);
}

absl::string_view typeUrl(Type type);
std::optional<Type> typeOfUrl(absl::string_view url);

}  // namespace convoy::controlplane::compile
