#include "proxy/base/subset_key.h"

#include <algorithm>

namespace convoy::base {

namespace {

// The length first: whatever is in it, it cannot be taken for two texts.
void append(std::string_view text, std::string* out) {
  *out += std::to_string(text.size());
  *out += ':';
  *out += text;
}

}  // namespace

SubsetKey subsetKeyOf(const SubsetLabels& labels) {
  SubsetKey key;
  for (const auto& [name, value] : labels) {
    append(name, &key.keys);
    append(name, &key.pairs);
    append(value, &key.pairs);
  }
  return key;
}

std::string subsetKeyNames(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  std::string keys;
  for (const std::string& name : names) append(name, &keys);
  return keys;
}

bool subsetPairs(const SubsetLabels& labels, const std::vector<std::string>& names,
                 std::string* pairs) {
  pairs->clear();
  for (const std::string& name : names) {
    const auto found = labels.find(name);
    if (found == labels.end()) return false;
    append(name, pairs);
    append(found->second, pairs);
  }
  return true;
}

bool hasAll(const SubsetLabels& labels, const SubsetLabels& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&labels](const auto& pair) {
    const auto found = labels.find(pair.first);
    return found != labels.end() && found->second == pair.second;
  });
}

}  // namespace convoy::base
