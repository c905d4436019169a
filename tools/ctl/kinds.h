#pragma once

// Kinds and identities of resources, as people write them: "pool web", "backend web/10.0.0.1:80".

#include <optional>
#include <string>
#include <vector>

#include "api/convoy/v1/config.pb.h"

namespace convoy::tools::ctl {

// "pool", "pools", "route-table", "route_tables", ...; empty if it is no kind.
std::optional<v1::Kind> parseKind(const std::string& text);

// "pool"; "resource" for an unknown kind.
std::string kindText(v1::Kind kind);

// "pool web".
std::string idText(const v1::ResourceId& id);
v1::ResourceId idOf(const v1::Resource& resource);

// For messages.
inline constexpr char kKinds[] = "listener, route-table, pool, backend or certificate";

// The message in the resource.
const google::protobuf::Message& contentOf(const v1::Resource& resource);

// Says that the text is no kind, and which there are.
std::string noKindText(const std::string& text);

// What a person could apply to have these resources.
v1::Config configOf(const std::vector<v1::Resource>& resources);

}  // namespace convoy::tools::ctl
