#include "controlplane/validate/dns.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "controlplane/validate/scalars.h"
#include "proxy/net/address.h"

namespace convoy::controlplane::validate {

namespace {

constexpr int64_t kSecondMs = 1000;
constexpr int64_t kDayMs = 24 * 3600 * 1000;
constexpr int64_t kDefaultMinSeconds = 5;
constexpr int64_t kDefaultMaxSeconds = 60;
constexpr int kMostServers = 16;

void checkRefresh(const v1::PoolDns& dns, const Place& place) {
  if (dns.has_min_refresh()) {
    checkDuration(dns.min_refresh(), kSecondMs, kDayMs, "1 s to 24 h", place.field("min_refresh"));
  }
  if (dns.has_max_refresh()) {
    checkDuration(dns.max_refresh(), kSecondMs, kDayMs, "1 s to 24 h", place.field("max_refresh"));
  }
  const auto of = [](bool set, const google::protobuf::Duration& duration, int64_t fallback) {
    return set ? std::make_pair(duration.seconds(), duration.nanos())
               : std::make_pair(fallback, int32_t{0});
  };
  const auto least = of(dns.has_min_refresh(), dns.min_refresh(), kDefaultMinSeconds);
  const auto most = of(dns.has_max_refresh(), dns.max_refresh(), kDefaultMaxSeconds);
  if (most >= least) return;
  const bool said = dns.has_max_refresh();
  place.field(said ? "max_refresh" : "min_refresh")
      .refuse("conflict", absl::StrCat(said ? most.first : least.first, "s"),
              "max_refresh, 60 s if unset, is at least min_refresh, 5 s if unset");
}

}  // namespace

void checkPoolDns(const v1::PoolDns& dns, const Place& place) {
  if (!v1::PoolDns::Families_IsValid(dns.families())) {
    place.field("families")
        .refuse("enum", absl::StrCat(static_cast<int>(dns.families())),
                "there are v4_preferred, v6_preferred, v4, v6 and all");
  }
  checkRefresh(dns, place);
  if (dns.has_not_found_confirmations()) {
    checkRange(dns.not_found_confirmations(), 1, 100, place.field("not_found_confirmations"));
  }
  if (dns.servers_size() > kMostServers) {
    place.field("servers").refuse("too_many", absl::StrCat(dns.servers_size()),
                                  "at most 16 servers may be named");
  }
  for (int i = 0; i < dns.servers_size(); ++i) {
    const auto server = net::Address::parse(dns.servers(i));
    if (server.ok() && server->isIp() && server->port() != 0) continue;
    place.element("servers", i)
        .refuse("address", dns.servers(i),
                "a DNS server is named by IP address and port, such as \"10.0.0.53:53\"");
  }
}

}  // namespace convoy::controlplane::validate
