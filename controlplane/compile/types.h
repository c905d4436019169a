#pragma once

// The four kinds of xDS resource that a configuration compiles to.

#include <array>
#include <optional>

#include "absl/strings/string_view.h"

namespace convoy::controlplane::compile {

// In the order in which additions are pushed: what is named comes before what names it.
enum class Type {
  Cluster,
  Assignment,  // envoy.config.endpoint.v3.ClusterLoadAssignment
  Listener,
  RouteConfiguration,
};

inline constexpr int kTypeCount = 4;
inline constexpr std::array<Type, kTypeCount> kTypes = {Type::Cluster, Type::Assignment,
                                                        Type::Listener, Type::RouteConfiguration};

inline constexpr int indexOf(Type type) {
  return static_cast<int>(type);
}

absl::string_view typeUrl(Type type);
std::optional<Type> typeOfUrl(absl::string_view url);

}  // namespace convoy::controlplane::compile
