#include "controlplane/validate/request_policy.h"

#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "controlplane/validate/scalars.h"
#include "proxy/net/address.h"

namespace convoy::controlplane::validate {

namespace {

constexpr int64_t kHourMs = 3600 * 1000;
constexpr int64_t kDayMs = 24 * kHourMs;
constexpr int kMostProxies = 256;

template <typename Enum>
void checkEnum(Enum value, bool valid, absl::string_view known, const Place& place) {
  if (valid) return;
  place.refuse("enum", absl::StrCat(static_cast<int>(value)), absl::StrCat("there are ", known));
}

void checkEnums(const v1::Listener& l, const Place& place) {
  checkEnum(l.headers_with_underscores(),
            v1::Listener::Underscores_IsValid(l.headers_with_underscores()),
            "allow, reject and drop", place.field("headers_with_underscores"));
  checkEnum(l.forwarded(), v1::Listener::Forwarded_IsValid(l.forwarded()), "none and append",
            place.field("forwarded"));
  checkEnum(l.server_header(), v1::Listener::ServerHeader_IsValid(l.server_header()),
            "overwrite, append_if_absent and pass_through", place.field("server_header"));
  checkEnum(l.strip_port(), v1::Listener::StripPort_IsValid(l.strip_port()),
            "none, matching and any", place.field("strip_port"));
  checkEnum(l.paths().escaped_slashes(),
            v1::PathPolicy::EscapedSlashes_IsValid(l.paths().escaped_slashes()),
            "keep, reject, redirect and decode", place.field("paths").field("escaped_slashes"));
}

void checkProxy(const std::string& text, const Place& place) {
  const size_t slash = text.find('/');
  const auto address = net::Address::fromIp(std::string_view(text).substr(0, slash), 0);
  uint32_t length = 0;
  const bool right =
      address.ok() && (slash == std::string::npos ||
                       (absl::SimpleAtoi(text.substr(slash + 1), &length) &&
                        length <= (address->family() == net::Address::Family::Ipv4 ? 32U : 128U)));
  if (right) return;
  place.refuse("address", text,
               "a range of addresses is such as \"10.0.0.0/8\" or \"2001:db8::/32\"; one address "
               "needs no length");
}

void checkProxies(const v1::Listener& listener, const Place& place) {
  if (listener.trusted_proxies_size() > kMostProxies) {
    place.field("trusted_proxies")
        .refuse("too_many", absl::StrCat(listener.trusted_proxies_size()),
                absl::StrCat("a listener has at most ", kMostProxies, " ranges"));
  }
  for (int i = 0; i < listener.trusted_proxies_size(); ++i) {
    checkProxy(listener.trusted_proxies(i), place.element("trusted_proxies", i));
  }
}

}  // namespace

void checkRequestPolicy(const v1::Listener& listener, const Place& place) {
  checkEnums(listener, place);
  checkProxies(listener, place);
  if (!listener.via().empty()) checkHeaderValue(listener.via(), place.field("via"));
  const std::string& host = listener.default_host_for_http10();
  if (!host.empty()) {
    checkHost(host.substr(0, host.rfind(':')), place.field("default_host_for_http10"));
    if (listener.has_accept_http10() && !listener.accept_http10()) {
      place.field("default_host_for_http10")
          .refuse("conflict", host, "HTTP/1.0 is not accepted; remove one of the two");
    }
  }
  if (listener.has_request_timeout()) {
    checkDuration(listener.request_timeout(), 1, kDayMs, "1 ms to 24 h",
                  place.field("request_timeout"));
  }
  if (listener.has_max_connection_duration()) {
    checkDuration(listener.max_connection_duration(), 1000, kDayMs, "1 s to 24 h",
                  place.field("max_connection_duration"));
  }
  if (listener.has_max_stream_duration()) {
    checkDuration(listener.max_stream_duration(), 1, kDayMs, "1 ms to 24 h",
                  place.field("max_stream_duration"));
  }
}

}  // namespace convoy::controlplane::validate
