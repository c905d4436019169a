#pragma once

// Columns of text for people: as wide as needed, two blanks apart, no trailing blanks. What is
// added after print() and printed then stands below in the same columns, without a second heading.

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace convoy::tools::ctl {

class Table {
 public:
  explicit Table(std::vector<std::string> head) { rows_.push_back(std::move(head)); }

  // An empty cell is shown as "-". Control characters are shown as "?": values come from others.
  void add(std::vector<std::string> row);
  bool empty() const { return rows_.size() == 1; }  // REQUIRES: nothing was printed
  void print(std::ostream& out);

 private:
  std::vector<std::vector<std::string>> rows_;  // that are not printed yet
  std::vector<size_t> widths_;                  // they only grow
};

// Text from elsewhere without control characters, so that it cannot steer a terminal. What is not
// UTF-8 comes out as ASCII with "?".
std::string printable(std::string text);

}  // namespace convoy::tools::ctl
