#include "controlplane/compile/view.h"

namespace convoy::controlplane::compile {

EncodedPtr View::find(Type type, absl::string_view name) const {
  const auto found = of(type).find(name);
  return found == of(type).end() ? nullptr : found->second;
}

ViewDifference difference(const View& from, const View& to) {
  ViewDifference out;
  for (const Type type : kTypes) {
    std::vector<std::string>& names = out[indexOf(type)];
    for (const auto& [name, encoded] : to.of(type)) {
      const EncodedPtr before = from.find(type, name);
      // Most are the very same object; a recompiled one may still have the same bytes.
      if (before == encoded) continue;
      if (before == nullptr || before->version != encoded->version) names.emplace_back(name);
    }
    for (const auto& [name, encoded] : from.of(type)) {
      if (to.find(type, name) == nullptr) names.emplace_back(name);
    }
  }
  return out;
}

}  // namespace convoy::controlplane::compile
