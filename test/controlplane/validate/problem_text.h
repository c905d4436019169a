#pragma once

// Problems in a line, for comparisons: "path: rule, path: rule".

#include <string>

#include "absl/strings/str_cat.h"
#include "controlplane/validate/problems.h"

namespace convoy::controlplane::validate {

inline std::string text(const Problems& problems) {
  std::string out;
  for (const v1::Problem& problem : problems.list().problems()) {
    absl::StrAppend(&out, out.empty() ? "" : ", ", problem.field_path(), ": ", problem.rule());
  }
  return out;
}

// "path: rule value".
inline std::string textWithValues(const Problems& problems) {
  std::string out;
  for (const v1::Problem& problem : problems.list().problems()) {
    absl::StrAppend(&out, out.empty() ? "" : ", ", problem.field_path(), ": ", problem.rule(),
                    problem.value().empty() ? "" : " ", problem.value());
  }
  return out;
}

}  // namespace convoy::controlplane::validate
