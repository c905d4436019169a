#include "proxy/upstream/retained_hosts.h"

#include <utility>

#include "absl/container/flat_hash_set.h"

namespace convoy::upstream {

std::shared_ptr<const AssignmentSpec> withRetained(
    const std::shared_ptr<const AssignmentSpec>& assignment, const AssignmentSpec* before,
    const std::function<bool(const EndpointSpec& endpoint)>& stays) {
  if (before == nullptr || before == assignment.get()) return assignment;
  absl::flat_hash_set<net::Address> present;
  for (const LocalitySpec& locality : assignment->localities) {
    for (const EndpointSpec& endpoint : locality.endpoints) present.insert(endpoint.address);
  }
  std::shared_ptr<AssignmentSpec> with;
  for (const LocalitySpec& locality : before->localities) {
    LocalitySpec retained = locality;
    std::erase_if(retained.endpoints, [&](const EndpointSpec& endpoint) {
      return present.contains(endpoint.address) || !stays(endpoint);
    });
    if (retained.endpoints.empty()) continue;
    if (with == nullptr) with = std::make_shared<AssignmentSpec>(*assignment);
    with->localities.push_back(std::move(retained));
  }
  return with == nullptr ? assignment : std::shared_ptr<const AssignmentSpec>(std::move(with));
}

}  // namespace convoy::upstream
