#pragma once

// Counts the calls of operator new, for tests of paths that must not allocate. Linking this
// replaces operator new and delete of the whole test binary.

#include <cstdint>

namespace convoy::test {

// By this thread, since it began.
uint64_t allocations();

}  // namespace convoy::test
