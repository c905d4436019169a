#pragma once

// The process's limit of open files (RLIMIT_NOFILE). Thread-safe, but for raising it: main, at the
// start.

#include <cstdint>

namespace convoy::base {

// A process that keeps connections needs descriptors. Systems hand out a low limit for the sake of
// programs that use select(), with a high one up to which a program may help itself: raises the
// soft limit to the hard one, and returns what holds then.
int raiseDescriptorLimit();

// The soft limit: what open() and its like obey.
uint64_t descriptorLimit();

// About how many are open: the kernel gives out the lowest number that is free, and this is it.
// All of the limit if none is.
uint64_t openDescriptors();

}  // namespace convoy::base
