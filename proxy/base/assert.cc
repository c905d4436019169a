#include "proxy/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace convoy::base {

void assertFailed(const char* condition, const char* file, int line) {
  // Not through the log: it takes a lock that the broken code may hold.
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, condition);
  std::abort();
}

}  // namespace convoy::base
