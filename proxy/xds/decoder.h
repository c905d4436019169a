#pragma once

// Resources of a response to specs, by config's converters, with every objection as a
// ResourceError. Pure functions.

#include <memory>
#include <string>
#include <vector>

#include "api/convoy/ext/resource_error.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/net/spec.h"
#include "proxy/route/spec.h"
#include "proxy/tls/spec.h"
#include "proxy/upstream/spec.h"
#include "proxy/xds/subscription.h"

namespace convoy::xds {

// Fields of one resource that have no effect here.
struct Notes {
  std::string name;
  std::vector<base::FieldNote> notes;
  uint64_t count = 0;  // including those that were too many to keep
};

template <class Spec>
struct Decoded {
  std::vector<std::shared_ptr<const Spec>> specs;
  std::vector<ext::ResourceError> errors;  // one per resource that is not among the specs
  std::vector<Notes> notes;                // one per spec
};

// The context's version is set here, from each resource. The types were checked by Subscription.
Decoded<upstream::ClusterSpec> decodeClusters(const Update& update, config::Context context);
Decoded<upstream::AssignmentSpec> decodeAssignments(const Update& update, config::Context context);
Decoded<tls::SecretSpec> decodeSecrets(const Update& update, config::Context context);
Decoded<net::ListenerSpec> decodeListeners(const Update& update, config::Context context);
Decoded<route::RouteTableSpec> decodeRouteTables(const Update& update, config::Context context);

}  // namespace convoy::xds
