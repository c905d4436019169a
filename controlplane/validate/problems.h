#pragma once

// Collects every reason why a configuration is refused, with the place of each.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "api/convoy/v1/problem.pb.h"
#include "controlplane/store/store.h"

namespace convoy::controlplane::validate {

class Problems {
 public:
  // Beyond these only the number counts on.
  static constexpr int kMost = 100;

  // `value` is cut to 256 bytes.
  void add(const store::Key& id, absl::string_view field_path, absl::string_view rule,
           absl::string_view value, absl::string_view reason);

  bool empty() const { return list_.total() == 0; }
  const v1::ProblemList& list() const { return list_; }

 private:
  v1::ProblemList list_;
};

// A field of a resource that is being checked: knows how to complain about itself.
class Place {
 public:
  // `path`: where the resource is in the request, such as "pools[2]".
  Place(Problems* problems, store::Key id, std::string path)
      : problems_(problems), id_(std::move(id)), path_(std::move(path)) {}

  Place field(absl::string_view name) const;
  Place element(absl::string_view name, int index) const;

  void refuse(absl::string_view rule, absl::string_view value, absl::string_view reason) const {
    problems_->add(id_, path_, rule, value, reason);
  }

  const std::string& path() const { return path_; }

 private:
  Problems* problems_;
  store::Key id_;
  std::string path_;
};

// The candidate that a person may have meant by a name, or "": at most two letters differ.
std::string closest(absl::string_view name, const std::vector<absl::string_view>& candidates);

}  // namespace convoy::controlplane::validate
