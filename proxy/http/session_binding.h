#pragma once

// Which host a request's session has: told by a filter (filter/stateful_session), obeyed by the
// router. A plain record, owned by that filter.

#include <cstdint>
#include <string_view>

namespace convoy::http {

struct SessionBinding {
  enum class Found : uint8_t {
    Nothing,   // no session yet
    Host,      // `host`
    Expired,   // one that is over
    Tampered,  // one that nobody here has made
  };
  Found found = Found::Nothing;
  bool strict = false;    // this host or none
  std::string_view host;  // address and port; empty unless found is Host
};

}  // namespace convoy::http
