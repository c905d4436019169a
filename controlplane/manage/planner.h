#pragma once

// What a request would change, or why it is refused: a pure function of the configuration there is
// and of the request.

#include <vector>

#include "absl/status/statusor.h"
#include "api/convoy/v1/config.pb.h"
#include "controlplane/model/model.h"
#include "controlplane/store/store.h"
#include "controlplane/validate/problems.h"
#include "controlplane/validate/references.h"
#include "proxy/event/clock.h"

namespace convoy::controlplane::manage {

struct Plan {
  std::vector<store::Write> writes;  // in key order; empty: nothing would change
  model::Model model;                // what would be; its revision is the next one
  validate::RequestPlaces places;    // where the resources are in the request
};

// Error: InvalidArgument, a refusal() with all the problems. `now`: new certificates must hold
// then.
absl::StatusOr<Plan> planApply(const model::Model& current, v1::Config config, bool prune,
                               event::WallTime now);

// Errors: InvalidArgument, NotFound; FailedPrecondition, a refusal().
absl::StatusOr<Plan> planDelete(const model::Model& current,
                                const google::protobuf::RepeatedPtrField<v1::ResourceId>& ids);

}  // namespace convoy::controlplane::manage
