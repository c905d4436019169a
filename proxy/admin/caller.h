#pragma once

// Whether a request that changes something may come from a web page of somebody else, which a
// browser on this machine or behind it shows: a browser sends a form anywhere (CSRF), and to a name
// that its page's owner has made to point here (DNS rebinding). Such requests have a Host that is
// a name, or an Origin (RFC 6454) that is another. Programs such as curl send an address or a name
// of this machine, and no Origin. Pure functions.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace convoy::admin {

struct Caller {
  std::string_view host;  // with the port; empty: unsaid (HTTP/1.0)
  std::optional<std::string_view> origin = {};
};

// Why the request is refused, as a line for people; empty: it is not.
// `machine`: the names of this machine (machine_names.h); case does not matter.
std::string problemWith(const Caller& caller, const std::vector<std::string>& machine);

}  // namespace convoy::admin
