#include "controlplane/model/selector.h"

namespace convoy::controlplane::model {

bool selects(const v1::NodeSelector& selector, const Labels& labels) {
  for (const auto& [key, value] : selector.labels()) {
    const auto found = labels.find(key);
    if (found == labels.end() || found->second != value) return false;
  }
  return true;
}

bool mayOverlap(const v1::NodeSelector& a, const v1::NodeSelector& b) {
  for (const auto& [key, value] : a.labels()) {
    const auto found = b.labels().find(key);
    if (found != b.labels().end() && found->second != value) return false;
  }
  return true;
}

}  // namespace convoy::controlplane::model
