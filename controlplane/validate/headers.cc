#include "controlplane/validate/headers.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "controlplane/validate/scalars.h"

namespace convoy::controlplane::validate {

namespace {

constexpr int kMostEdits = 64;

// As proxy/config/header_edits.cc has it.
constexpr absl::string_view kProtected[] = {
    "host",       "content-length",   "transfer-encoding", "connection",
    "keep-alive", "proxy-connection", "upgrade",           "te",
    "trailer",    "http2-settings",
};

class EditNames {
 public:
  void check(const std::string& name, const Place& place) {
    const std::string lower = absl::AsciiStrToLower(name);
    const bool is_protected =
        std::find(std::begin(kProtected), std::end(kProtected), lower) != std::end(kProtected);
    if (is_protected || absl::StartsWith(name, ":")) {
      place.refuse("not_editable", name,
                   "says where a message goes, how it is framed, or belongs to one connection; "
                   "remove it");
      return;
    }
    checkHeaderName(name, place);
    if (!seen_.insert(lower).second) {
      place.refuse("duplicate", name,
                   "is edited already; one of remove, set, add and append names a header, once");
    }
  }

 private:
  std::set<std::string> seen_;
};

void checkEdits(const v1::HeaderEdits& edits, const Place& place) {
  const int count = edits.set_size() + edits.add_size() + edits.append_size() + edits.remove_size();
  if (count > kMostEdits) {
    place.refuse("too_many", absl::StrCat(count), absl::StrCat("at most ", kMostEdits, " edits"));
  }
  EditNames names;
  for (int i = 0; i < edits.remove_size(); ++i) {
    names.check(edits.remove(i), place.element("remove", i));
  }
  const auto check_values = [&](const auto& map, absl::string_view field) {
    const std::map<std::string, std::string> sorted(map.begin(), map.end());
    for (const auto& [name, value] : sorted) {
      const Place at = place.field(field).field(name);
      names.check(name, at);
      checkHeaderValue(value, at);
      if (value.empty()) at.refuse("required", "", "a value is needed; remove takes a header away");
    }
  };
  check_values(edits.set(), "set");
  check_values(edits.add(), "add");
  check_values(edits.append(), "append");
}

}  // namespace

void checkHeaders(const v1::Headers& headers, const Place& place) {
  checkEdits(headers.request(), place.field("request"));
  checkEdits(headers.response(), place.field("response"));
}

}  // namespace convoy::controlplane::validate
