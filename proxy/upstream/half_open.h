#pragma once

// Hosts whose circuit breaker is half-open (outlier/host_breakers.h), as workers see them: they are
// in no group, and get one request at a time, to learn whether they are well again. A request for a
// subset goes to a host of that subset only, so each host comes with the subsets that it would be
// in. Immutable; made on main.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/subset_key.h"
#include "proxy/upstream/grouping_spec.h"
#include "proxy/upstream/host.h"
#include "proxy/upstream/host_groups.h"
#include "proxy/upstream/spec.h"

namespace convoy::upstream {

struct HalfOpenHost {
  std::shared_ptr<const Host> host;
  std::vector<std::string> subsets = {};  // SubsetKey::pairs, one for each selector that it fits
  bool in_default = false;                // it has the labels of the default subset
};

// Null: the host is of no assignment.
using EndpointOf = std::function<const EndpointSpec*(const net::Address& host)>;

// In the order of `hosts`. subsets: null: the cluster has none.
std::vector<HalfOpenHost> halfOpenHosts(const std::vector<std::shared_ptr<const Host>>& hosts,
                                        const EndpointOf& endpoint_of, const SubsetSpec* subsets);

// Whether a request that asks for this (null: nothing) would be for the host if that were well.
bool isFor(const HostGroups& groups, const base::SubsetKey* wanted, const HalfOpenHost& host);

}  // namespace convoy::upstream
