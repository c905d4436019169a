#pragma once

// The seam to the data plane's own validator: what every compiled xDS resource must pass before it
// is stored, so that bad configuration is refused before any push. The validator (proxy/config) is
// handed in by main; everything else sees only this function.

#include <functional>
#include <vector>

#include "api/convoy/ext/resource_error.pb.h"
#include "google/protobuf/message.h"

namespace convoy::controlplane::validate {

// Why a resource (an Envoy Listener, RouteConfiguration, Cluster, ClusterLoadAssignment or Secret)
// would be refused by a node; empty if it would not. Thread-safe.
using XdsCheck =
    std::function<std::vector<ext::ResourceError>(const google::protobuf::Message& resource)>;

// Accepts everything.
XdsCheck acceptAll();

}  // namespace convoy::controlplane::validate
