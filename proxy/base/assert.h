#pragma once

// CONVOY_ASSERT states an invariant of our own code and is compiled into every build: going on
// after a broken invariant could answer one client with another's bytes, so the process aborts
// instead. Never use it on bytes from the network, on configuration or on the environment: those
// are handled.

namespace convoy::base {

[[noreturn]] void assertFailed(const char* condition, const char* file, int line);

}  // namespace convoy::base

#define CONVOY_ASSERT(condition)      \
  (__builtin_expect(!!(condition), 1) \
       ? static_cast<void>(0)         \
       : ::convoy::base::assertFailed(#condition, __FILE__, __LINE__))
