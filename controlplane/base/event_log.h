#pragma once

// One structured line per event: event=NAME key=value ... Values with blanks, quotes or equals
// signs are quoted. Goes through proxy/base/log.h, which adds time and level. Never a secret.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace convoy::controlplane {

using EventFields = std::vector<std::pair<absl::string_view, absl::string_view>>;

// The line's text.
std::string eventText(absl::string_view event, const EventFields& fields);

void logEvent(absl::string_view event, const EventFields& fields);
// For what somebody should look at.
void logTrouble(absl::string_view event, const EventFields& fields);

}  // namespace convoy::controlplane
