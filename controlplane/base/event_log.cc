#include "controlplane/base/event_log.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "proxy/base/log.h"

namespace convoy::controlplane {

std::string eventText(absl::string_view event, const EventFields& fields) {
  std::string text = absl::StrCat("event=", event);
  for (const auto& [key, value] : fields) {
    const bool plain =
        !value.empty() && value.find_first_of(" \"=\\\t\r\n") == absl::string_view::npos;
    if (plain) {
      absl::StrAppend(&text, " ", key, "=", value);
    } else {
      absl::StrAppend(&text, " ", key, "=\"", absl::Utf8SafeCEscape(value), "\"");
    }
  }
  return text;
}

void logEvent(absl::string_view event, const EventFields& fields) {
  base::logInfo(eventText(event, fields));
}

void logTrouble(absl::string_view event, const EventFields& fields) {
  base::logWarning(eventText(event, fields));
}

}  // namespace convoy::controlplane
