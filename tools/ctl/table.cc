#include "tools/ctl/table.h"

#include <algorithm>

#include "proxy/config/utf8.h"

namespace convoy::tools::ctl {

namespace {

// Characters, not bytes, of UTF-8.
size_t widthOf(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

}  // namespace

std::string printable(std::string text) {
  const bool is_utf8 = config::isUtf8(text);
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || (byte > 0x7f && !is_utf8)) c = '?';
  }
  return text;
}

void Table::add(std::vector<std::string> row) {
  for (std::string& cell : row) cell = cell.empty() ? "-" : printable(std::move(cell));
  rows_.push_back(std::move(row));
}

void Table::print(std::ostream& out) {
  for (const auto& row : rows_) {
    widths_.resize(std::max(widths_.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths_[i] = std::max(widths_[i], widthOf(row[i]));
  }
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) {
      out << row[i];
      if (i + 1 < row.size()) out << std::string(widths_[i] - widthOf(row[i]) + 2, ' ');
    }
    out << "\n";
  }
  rows_.clear();
}

}  // namespace convoy::tools::ctl
