#include "proxy/base/descriptor_limit.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace convoy::base {

int raiseDescriptorLimit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t soft = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  const rlim_t now = ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_max : soft;
  return static_cast<int>(std::min<rlim_t>(now, std::numeric_limits<int>::max()));
}

uint64_t descriptorLimit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

uint64_t openDescriptors() {
  const int lowest_free = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
  if (lowest_free < 0) return errno == EMFILE ? descriptorLimit() : 0;
  ::close(lowest_free);
  return static_cast<uint64_t>(lowest_free);
}

}  // namespace convoy::base
