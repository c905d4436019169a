#include "tools/ctl/line_diff.h"

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <vector>

namespace convoy::tools::ctl {

namespace {

constexpr size_t kMostCells = 4'000'000;

std::vector<std::string> linesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

}  // namespace

std::string lineDiff(const std::string& before, const std::string& after) {
  const std::vector<std::string> a = linesOf(before);
  const std::vector<std::string> b = linesOf(after);
  const size_t width = b.size() + 1;
  // Length of the longest common subsequence of a[i..] and b[j..].
  const bool comparable = (a.size() + 1) * width <= kMostCells;
  std::vector<uint32_t> common(comparable ? (a.size() + 1) * width : 0);
  if (comparable) {
    for (size_t i = a.size(); i-- > 0;) {
      for (size_t j = b.size(); j-- > 0;) {
        const uint32_t skipped = std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
        common[i * width + j] = a[i] == b[j] ? common[(i + 1) * width + j + 1] + 1 : skipped;
      }
    }
  }
  std::string out;
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (comparable && i < a.size() && j < b.size() && a[i] == b[j]) {
      out += "  " + a[i++] + "\n";
      ++j;
    } else if (i < a.size() && (j == b.size() || !comparable ||
                                common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      out += "- " + a[i++] + "\n";
    } else {
      out += "+ " + b[j++] + "\n";
    }
  }
  return out;
}

}  // namespace convoy::tools::ctl
