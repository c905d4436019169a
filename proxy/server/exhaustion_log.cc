#include "proxy/server/exhaustion_log.h"

#include <cerrno>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "proxy/base/descriptor_limit.h"
#include "proxy/base/log.h"

namespace convoy::server {

bool ExhaustionLog::report(const net::Address& address, int error, event::MonotonicTime now) {
  event::MonotonicTime until = quiet_until_.load(std::memory_order_relaxed);
  if (now < until) return false;
  // Who loses has another worker that says it.
  if (!quiet_until_.compare_exchange_strong(until, now + kQuiet)) return false;
  base::logWarning(text(address, error));
  return true;
}

std::string ExhaustionLog::text(const net::Address& address, int error) {
  std::string line =
      absl::StrCat("accepting on ", address.text(),
                   " pauses while there is no room: ", std::generic_category().message(error));
  if (error == EMFILE) {
    absl::StrAppend(&line, " (the limit is ", base::descriptorLimit(),
                    ", of which some are kept for connections to backends); raise it (ulimit -Hn), "
                    "or let fewer connections in "
                    "(overload.global_downstream_max_connections)");
  }
  return line;
}

}  // namespace convoy::server
