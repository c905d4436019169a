#pragma once

// Which part of a cluster's hosts a request asks for (Envoy's metadata_match), or a host belongs
// to: names and values in one canonical text, so that finding the part is one look-up. Immutable.

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace convoy::base {

struct SubsetKey {
  std::string keys;   // the names alone
  std::string pairs;  // names and values

  bool empty() const { return pairs.empty(); }
  friend bool operator==(const SubsetKey&, const SubsetKey&) = default;
};

using SubsetLabels = std::map<std::string, std::string, std::less<>>;

// No text of other labels is the same.
SubsetKey subsetKeyOf(const SubsetLabels& labels);

// As `keys` above, of names in any order.
std::string subsetKeyNames(std::vector<std::string> names);

// What `labels` say of these names, as `pairs` above; false: one of them is missing. REQUIRES: the
// names are in order.
bool subsetPairs(const SubsetLabels& labels, const std::vector<std::string>& names,
                 std::string* pairs);

// Whether `labels` has each of `wanted`, with the same value.
bool hasAll(const SubsetLabels& labels, const SubsetLabels& wanted);

}  // namespace convoy::base
