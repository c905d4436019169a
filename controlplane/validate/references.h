#pragma once

// Rules that hold between the resources of a configuration: what is named exists and is of the
// right kind, and no two listeners of a node want one address.

#include <functional>
#include <map>
#include <string>

#include "controlplane/model/model.h"
#include "controlplane/validate/problems.h"

namespace convoy::controlplane::validate {

// Where resources are in the request: key -> "pools[2]". A resource that is not in the request is
// reported as "listener public: ...".
using RequestPlaces = std::map<store::Key, std::string>;

void checkReferences(const model::Model& model, const RequestPlaces& places, Problems* problems);

}  // namespace convoy::controlplane::validate
