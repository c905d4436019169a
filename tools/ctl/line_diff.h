#pragma once

// The difference of two texts, line by line, for people.

#include <string>

namespace convoy::tools::ctl {

// Every line of `after`, those that are new with "+ " in front, those of `before` that are gone
// with "- ", the others with two blanks. Texts that are too long to compare are shown one after the
// other.
std::string lineDiff(const std::string& before, const std::string& after);

}  // namespace convoy::tools::ctl
