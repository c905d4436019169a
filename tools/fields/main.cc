// Prints docs/reference/fields.md.

#include <iostream>

#include "proxy/config/field_table.h"

int main() {
  std::cout << convoy::config::fieldTableAsMarkdown(convoy::config::FieldTable::builtin());
  return std::cout.good() ? 0 : 1;
}
