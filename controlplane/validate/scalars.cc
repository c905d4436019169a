#include "controlplane/validate/scalars.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/message.h"
#include "google/protobuf/unknown_field_set.h"
#include "proxy/base/host_name.h"
#include "proxy/base/strings.h"
#include "proxy/net/address.h"

namespace convoy::controlplane::validate {

namespace {

constexpr size_t kMostNameBytes = 128;
constexpr int kMostLabels = 16;

bool isNameByte(char c) {
  return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
}

// RFC 9110 section 5.6.2.
bool isTokenByte(char c) {
  return absl::ascii_isalnum(c) ||
         absl::string_view("!#$%&'*+-.^_`|~").find(c) != absl::string_view::npos;
}

bool isDomainName(absl::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  if (text.front() == '.' || text.back() == '.' || absl::StrContains(text, "..")) return false;
  return std::all_of(text.begin(), text.end(), isNameByte);
}

// Neither a unix socket nor IPv6.
bool mayBeNamed(absl::string_view address) {
  return !absl::StartsWith(address, "unix:") &&
         std::count(address.begin(), address.end(), ':') == 1;
}

std::string checkNamedAddress(absl::string_view address, const Place& place) {
  const std::string_view text(address.data(), address.size());
  if (const auto named = base::parseNamedAddress(text); named.has_value()) {
    return absl::StrCat(named->host, ":", named->port);
  }
  const std::string_view problem = base::problemWithHostName(text.substr(0, text.find(':')));
  const absl::string_view why =
      problem.empty() ? "the port of a backend is 1 to 65535" : base::toAbsl(problem);
  place.refuse("address", address,
               absl::StrCat(why,
                            "; write IP:port (\"10.0.0.1:80\", \"[::1]:80\"), NAME:port "
                            "(\"app.example:80\") or a unix socket (\"unix:/run/x.sock\")"));
  return "";
}

bool isIpv6Literal(absl::string_view text) {
  return !absl::StrContains(text, "%") && text.size() > 2 && text.front() == '[' &&
         text.back() == ']' && net::Address::parse(absl::StrCat(text, ":1")).ok();
}

}  // namespace

bool isToken(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), isTokenByte);
}

void checkName(absl::string_view name, const Place& place) {
  if (name.empty()) {
    place.refuse("required", "", "a name is required");
    return;
  }
  if (name.size() > kMostNameBytes || !absl::ascii_isalnum(name.front()) ||
      !std::all_of(name.begin(), name.end(), isNameByte)) {
    place.refuse("name", name,
                 "a name has 1 to 128 characters: letters, digits, \"-\", \"_\" and \".\", the "
                 "first a letter or digit");
  }
}

std::string checkAddress(absl::string_view address, AddressUse use, const Place& place) {
  if (address.empty()) {
    place.refuse("required", "", "an address is required, such as \"10.0.0.1:8080\"");
    return "";
  }
  const net::ZonedText parts = net::splitZone(base::fromAbsl(address));
  const absl::StatusOr<net::Address> parsed = net::Address::parse(parts.address);
  if (!parsed.ok() && use == AddressUse::Connect && mayBeNamed(address)) {
    return checkNamedAddress(address, place);
  }
  if (!parsed.ok()) {
    place.refuse("address", address, parsed.status().message());
    return "";
  }
  if (!parts.zone.empty()) {
    place.refuse("address", address,
                 "a zone (\"%eth0\") is an interface of one machine, and this is no node; use an "
                 "address without one");
    return "";
  }
  if (use == AddressUse::Connect && parsed->isIp() && parsed->port() == 0) {
    place.refuse("address", address, "the port of a backend is 1 to 65535");
    return "";
  }
  return parsed->text();
}

void checkDuration(const google::protobuf::Duration& duration, int64_t least_ms, int64_t most_ms,
                   absl::string_view text, const Place& place) {
  constexpr int64_t kMostSeconds = 315'576'000'000;  // protobuf's own range
  const int64_t seconds = duration.seconds();
  const bool sane = seconds >= -kMostSeconds && seconds <= kMostSeconds &&
                    duration.nanos() > -1'000'000'000 && duration.nanos() < 1'000'000'000;
  const int64_t nanos = sane ? duration.nanos() : 0;
  const int64_t ms = sane ? seconds * 1000 + nanos / 1'000'000 : -1;
  if (sane && ms >= least_ms && (ms < most_ms || (ms == most_ms && nanos % 1'000'000 == 0)) &&
      nanos >= 0) {
    return;
  }
  place.refuse("range",
               absl::StrCat(seconds, ".", absl::Dec(std::abs(nanos), absl::kZeroPad9), "s"),
               absl::StrCat("the range is ", text));
}

void checkRange(uint64_t value, uint64_t least, uint64_t most, const Place& place) {
  if (value >= least && value <= most) return;
  place.refuse("range", absl::StrCat(value), absl::StrCat("the range is ", least, " to ", most));
}

void checkSelector(const v1::NodeSelector& selector, const Place& place) {
  const Place labels = place.field("labels");
  if (selector.labels_size() > kMostLabels) {
    labels.refuse("too_many", absl::StrCat(selector.labels_size()),
                  absl::StrCat("a selector has at most ", kMostLabels, " labels"));
  }
  for (const auto& [key, value] : selector.labels()) {
    if (key.empty() || key.size() > kMostNameBytes || value.empty() ||
        value.size() > kMostNameBytes) {
      labels.refuse("range", absl::StrCat(key, ": ", value),
                    "keys and values of labels have 1 to 128 bytes");
    }
  }
}

void checkPath(absl::string_view path, const Place& place) {
  if (path.empty() || path.front() != '/') {
    place.refuse("syntax", path, "a path begins with \"/\"");
    return;
  }
  const bool bad = std::any_of(path.begin(), path.end(), [](char c) {
    return c == '?' || c == '#' || c == ' ' || absl::ascii_iscntrl(c);
  });
  if (bad) {
    place.refuse("syntax", path,
                 "a path has no \"?\", \"#\", blank or control character: the query is not looked "
                 "at, and other characters are written percent-encoded");
  }
}

void checkHost(absl::string_view host, const Place& place) {
  absl::string_view domain = host;
  if (absl::StartsWith(domain, "*.")) domain.remove_prefix(2);
  if (isDomainName(domain) || isIpv6Literal(host)) return;
  place.refuse(
      "syntax", host,
      "a host is a name such as \"example.com\", or \"*.example.com\" for every name below "
      "it, without port; leave hosts out for any host");
}

void checkHeaderName(absl::string_view name, const Place& place) {
  if (isToken(name)) return;
  place.refuse(
      name.empty() ? "required" : "syntax", name,
      "a header has a name such as \"x-tenant\"; in place of pseudo-headers there are hosts, "
      "path and methods");
}

void checkHeaderValue(absl::string_view value, const Place& place) {
  const bool bad = std::any_of(value.begin(), value.end(),
                               [](char c) { return c != '\t' && absl::ascii_iscntrl(c); });
  if (bad) {
    place.refuse("syntax", absl::CHexEscape(value), "a header's value has no control characters");
  }
}

void checkMethod(absl::string_view method, const Place& place) {
  const bool good = std::all_of(method.begin(), method.end(), [](char c) {
    return absl::ascii_isupper(c) || c == '-' || c == '_';
  });
  if (good && !method.empty()) return;
  place.refuse("syntax", method, "a method is written in upper-case letters, such as \"GET\"");
}

void checkUpgrades(const google::protobuf::RepeatedPtrField<std::string>& protocols,
                   bool none_allowed, const Place& place) {
  constexpr size_t kMostBytes = 64;
  constexpr int kMost = 16;
  if (protocols.size() > kMost) {
    place.field("upgrades")
        .refuse("too_many", absl::StrCat(protocols.size()), "at most 16 protocols may be listed");
  }
  std::set<std::string> seen;
  for (int i = 0; i < protocols.size(); ++i) {
    const std::string& protocol = protocols[i];
    const Place at = place.element("upgrades", i);
    const bool good = !protocol.empty() && protocol.size() <= kMostBytes &&
                      std::all_of(protocol.begin(), protocol.end(),
                                  [](char c) { return c == '/' || isTokenByte(c); });
    if (!good) {
      at.refuse("syntax", protocol, "a protocol is a name such as \"websocket\"");
    } else if (absl::EqualsIgnoreCase(protocol, "connect")) {
      at.refuse("value", protocol, "CONNECT has routes of its own; write match: {connect: true}");
    } else if (protocol == "none" && (!none_allowed || protocols.size() > 1)) {
      at.refuse("conflict", protocol,
                none_allowed ? "\"none\" stands alone; remove it, or the others"
                             : "a route adds protocols to those of its listener; remove \"none\"");
    } else if (!seen.insert(absl::AsciiStrToLower(protocol)).second) {
      at.refuse("duplicate", protocol, "the list has this protocol already; remove one");
    }
  }
}

void checkUnknownFields(const google::protobuf::Message& message, const Place& place) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  const google::protobuf::UnknownFieldSet& unknown = reflection.GetUnknownFields(message);
  for (int i = 0; i < unknown.field_count(); ++i) {
    place.refuse("unknown_field", absl::StrCat("field number ", unknown.field(i).number()),
                 absl::StrCat(message.GetDescriptor()->name(),
                              " has no such field in this version of the control plane; upgrade "
                              "the control plane, or remove the field"));
  }
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const google::protobuf::FieldDescriptor* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      checkUnknownFields(reflection.GetMessage(message, field), place.field(field->name()));
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      checkUnknownFields(reflection.GetRepeatedMessage(message, field, i),
                         place.element(field->name(), i));
    }
  }
}

}  // namespace convoy::controlplane::validate
