#include "proxy/upstream/half_open.h"

#include <algorithm>

namespace convoy::upstream {

std::vector<HalfOpenHost> halfOpenHosts(const std::vector<std::shared_ptr<const Host>>& hosts,
                                        const EndpointOf& endpoint_of, const SubsetSpec* subsets) {
  std::vector<HalfOpenHost> half_open;
  for (const auto& host : hosts) {
    HalfOpenHost& made = half_open.emplace_back(HalfOpenHost{.host = host});
    const EndpointSpec* const endpoint =
        subsets == nullptr ? nullptr : endpoint_of(host->address());
    if (endpoint == nullptr) continue;
    std::string pairs;
    for (const SubsetSpec::Selector& selector : subsets->selectors) {
      if (base::subsetPairs(endpoint->subset_labels, selector.names, &pairs)) {
        made.subsets.push_back(pairs);
      }
    }
    made.in_default = base::hasAll(endpoint->subset_labels, subsets->default_labels);
  }
  return half_open;
}

bool isFor(const HostGroups& groups, const base::SubsetKey* wanted, const HalfOpenHost& host) {
  if (groups.parts().subsets == nullptr) return true;
  const HostGroups::Found found = groups.select(wanted);
  if (found.selection == nullptr) return false;
  if (found.selection == &groups.whole()) return true;
  if (found.fallback) return host.in_default;
  return std::find(host.subsets.begin(), host.subsets.end(), wanted->pairs) != host.subsets.end();
}

}  // namespace convoy::upstream
