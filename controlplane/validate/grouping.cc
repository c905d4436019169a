#include "controlplane/validate/grouping.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace convoy::controlplane::validate {

namespace {

constexpr int kMostSelectors = 16;
constexpr int kMostLabels = 16;
constexpr size_t kMostCharacters = 128;
constexpr uint32_t kMostPriority = 127;

using Labels = google::protobuf::Map<std::string, std::string>;

void checkText(const std::string& text, const Place& place) {
  if (text.size() <= kMostCharacters) return;
  place.refuse("range", absl::StrCat(text.size(), " characters"), "must have at most 128");
}

void checkLabels(const Labels& labels, const Place& place) {
  if (labels.size() > static_cast<size_t>(kMostLabels)) {
    place.refuse("too_many", absl::StrCat(labels.size()), "there are at most 16 labels");
  }
  for (const auto& [name, value] : labels) {
    if (name.empty()) place.refuse("required", "", "a label needs a name, such as \"version\"");
    checkText(name, place);
    checkText(value, place);
  }
}

std::set<std::string> namesOf(const v1::Subsets::Selector& selector) {
  return {selector.labels().begin(), selector.labels().end()};
}

void checkSelectors(const v1::Subsets& subsets, const Place& place) {
  if (subsets.by().empty()) {
    place.field("by").refuse("required", "",
                             "the labels that make subsets are needed, such as "
                             "{by: [{labels: [version]}]}");
  }
  if (subsets.by_size() > kMostSelectors) {
    place.field("by").refuse("too_many", absl::StrCat(subsets.by_size()),
                             "a pool has at most 16 selectors");
  }
  std::set<std::set<std::string>> seen;
  for (int i = 0; i < subsets.by_size(); ++i) {
    const Place at = place.element("by", i).field("labels");
    const std::set<std::string> names = namesOf(subsets.by(i));
    if (names.empty() || names.contains("")) {
      at.refuse("required", "", "the names of labels are needed, such as [version]");
    } else if (names.size() != static_cast<size_t>(subsets.by(i).labels_size())) {
      at.refuse("duplicate", absl::StrJoin(subsets.by(i).labels(), ", "), "name each label once");
    } else if (!seen.insert(names).second) {
      at.refuse("duplicate", absl::StrJoin(names, ", "), "an earlier selector has these labels");
    }
    if (names.size() > static_cast<size_t>(kMostLabels)) {
      at.refuse("too_many", absl::StrCat(names.size()), "a selector has at most 16 labels");
    }
  }
}

bool hashes(v1::Algorithm algorithm) {
  return algorithm == v1::ALGORITHM_IP_HASH || algorithm == v1::ALGORITHM_CONSISTENT_HASH ||
         algorithm == v1::ALGORITHM_MAGLEV;
}

}  // namespace

void checkGrouping(const v1::Pool& pool, const Place& place) {
  if (pool.zone_aware() && hashes(pool.algorithm())) {
    place.field("zone_aware")
        .refuse("conflict", "true",
                "an algorithm that goes by a key chooses among all zones; remove it, or choose "
                "another algorithm");
  }
  if (!pool.has_subsets()) return;
  const Place at = place.field("subsets");
  const v1::Subsets& subsets = pool.subsets();
  checkSelectors(subsets, at);
  if (!v1::Subsets::Fallback_IsValid(subsets.fallback())) {
    at.field("fallback")
        .refuse("enum", absl::StrCat(static_cast<int>(subsets.fallback())),
                "there is no such fallback; there are any, none and default");
  }
  checkLabels(subsets.default_labels(), at.field("default_labels"));
  const bool by_default = subsets.fallback() == v1::Subsets::FALLBACK_DEFAULT;
  if (by_default == subsets.default_labels().empty()) {
    at.field("default_labels")
        .refuse(by_default ? "required" : "conflict", "",
                by_default ? "fallback: default needs the labels to fall back to"
                           : "is for fallback: default only; set that, or remove it");
  }
}

void checkPlacement(const v1::Backend& backend, const Place& place) {
  if (backend.priority() > kMostPriority) {
    place.field("priority")
        .refuse("range", absl::StrCat(backend.priority()), "must be from 0 to 127");
  }
  if (backend.backup() && backend.priority() != 0) {
    place.field("priority")
        .refuse("conflict", absl::StrCat(backend.priority()),
                "a backup has no priority; remove one of them");
  }
  checkText(backend.zone(), place.field("zone"));
  checkLabels(backend.labels(), place.field("labels"));
}

void checkSubset(const v1::Route& route, const Place& place) {
  if (route.subset().empty()) return;
  const Place at = place.field("subset");
  checkLabels(route.subset(), at);
  if (route.action_case() == v1::Route::kDirectResponse) {
    at.refuse("conflict", "",
              "only a route to a pool has a subset; remove it, or set pool on this route");
  }
}

void checkSubsetOf(const v1::Pool& pool, const v1::Route& route, const Place& place) {
  if (route.subset().empty()) return;
  std::set<std::string> wanted;
  for (const auto& [name, value] : route.subset()) wanted.insert(name);
  const auto& selectors = pool.subsets().by();
  const bool known = std::any_of(selectors.begin(), selectors.end(),
                                 [&](const auto& selector) { return namesOf(selector) == wanted; });
  if (known) return;
  place.field("subset").refuse(
      "not_found", absl::StrJoin(wanted, ", "),
      absl::StrCat("pool \"", pool.name(), "\" has no subsets by these labels; add {labels: [",
                   absl::StrJoin(wanted, ", "), "]} to its subsets.by"));
}

}  // namespace convoy::controlplane::validate
