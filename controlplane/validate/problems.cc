#include "controlplane/validate/problems.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"

namespace convoy::controlplane::validate {

namespace {

constexpr size_t kMostValueBytes = 256;

// Not in the middle of a UTF-8 sequence.
absl::string_view cut(absl::string_view value) {
  if (value.size() <= kMostValueBytes) return value;
  size_t end = kMostValueBytes;
  while (end > 0 && (static_cast<unsigned char>(value[end]) & 0xc0) == 0x80) --end;
  return value.substr(0, end);
}

// Letters to insert, delete or replace.
size_t editDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

}  // namespace

void Problems::add(const store::Key& id, absl::string_view field_path, absl::string_view rule,
                   absl::string_view value, absl::string_view reason) {
  list_.set_total(list_.total() + 1);
  if (list_.problems_size() >= kMost) return;
  v1::Problem& problem = *list_.add_problems();
  problem.mutable_id()->set_kind(static_cast<v1::Kind>(id.kind));
  problem.mutable_id()->set_name(std::string(cut(id.name)));
  problem.set_field_path(std::string(field_path));
  problem.set_rule(std::string(rule));
  problem.set_value(std::string(cut(value)));
  problem.set_reason(std::string(reason));
}

Place Place::field(absl::string_view name) const {
  const bool after_colon = path_.empty() || path_.back() == ' ';
  return Place(problems_, id_, absl::StrCat(path_, after_colon ? "" : ".", name));
}

Place Place::element(absl::string_view name, int index) const {
  return field(absl::StrCat(name, "[", index, "]"));
}

std::string closest(absl::string_view name, const std::vector<absl::string_view>& candidates) {
  constexpr size_t kMostNameBytes = 128;
  if (name.size() > kMostNameBytes) return "";
  absl::string_view best;
  size_t best_distance = (name.size() >= 3 ? 2 : name.size() / 2) + 1;
  for (const absl::string_view candidate : candidates) {
    if (candidate.size() > name.size() + 2 || name.size() > candidate.size() + 2) continue;
    const size_t distance = editDistance(name, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return std::string(best);
}

}  // namespace convoy::controlplane::validate
