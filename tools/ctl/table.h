#pragma once

// Columns of text for people: as wide as needed, two blanks apart, no trailing blanks.

#include <ostream>
#include <string>
#include <vector>

namespace convoy::tools::ctl {

class Table {
 public:
  explicit Table(std::vector<std::string> head) { rows_.push_back(std::move(head)); }

  // An empty cell is shown as "-". Control characters are shown as "?": values come from others.
  void add(std::vector<std::string> row);
  bool empty() const { return rows_.size() == 1; }
  void print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// Text from elsewhere without control characters, so that it cannot steer a terminal.
std::string printable(std::string text);

}  // namespace convoy::tools::ctl
