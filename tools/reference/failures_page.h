#pragma once

// docs/reference/failures.md: the table of proxy/http/failure.cc for people.

#include <string>

namespace convoy::tools::reference {

std::string failuresPage();

}  // namespace convoy::tools::reference
