#include "proxy/config/request_policy.h"

#include <charconv>

#include "proxy/config/registry.h"
#include "proxy/config/values.h"

namespace convoy::config {
namespace {

namespace hcm = envoy::extensions::filters::network::http_connection_manager::v3;
namespace core = envoy::config::core::v3;
using hcm::HttpConnectionManager;
using http::ConnectionManagerSpec;

void setPath(const HttpConnectionManager& proto, ConnectionManagerSpec* spec) {
  spec->path.normalize = proto.normalize_path().value();
  spec->path.merge_slashes = proto.merge_slashes();
  switch (proto.path_with_escaped_slashes_action()) {
    case HttpConnectionManager::REJECT_REQUEST:
      spec->path.escaped_slashes = http::EscapedSlashes::Reject;
      return;
    case HttpConnectionManager::UNESCAPE_AND_REDIRECT:
      spec->path.escaped_slashes = http::EscapedSlashes::UnescapeAndRedirect;
      return;
    case HttpConnectionManager::UNESCAPE_AND_FORWARD:
      spec->path.escaped_slashes = http::EscapedSlashes::UnescapeAndForward;
      return;
    default:
      return;
  }
}

void setHost(const HttpConnectionManager& proto, ConnectionManagerSpec* spec,
             base::FieldReport& report) {
  if (proto.strip_matching_host_port()) spec->strip_port = http::StripPort::Matching;
  if (proto.strip_any_host_port()) spec->strip_port = http::StripPort::Any;
  if (proto.strip_matching_host_port() && proto.strip_any_host_port()) {
    report.error("strip_any_host_port", "conflict", "true",
                 "only one of it and strip_matching_host_port may be set");
  }
  spec->strip_trailing_host_dot = proto.strip_trailing_host_dot();
}

void setHttp10(const core::Http1ProtocolOptions& proto, ConnectionManagerSpec* spec,
               base::FieldReport& report) {
  spec->accept_http_10 = proto.accept_http_10();
  spec->default_host_for_http_10 = proto.default_host_for_http_10();
  constexpr char kHostBytes[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:[]";
  if (spec->default_host_for_http_10.find_first_not_of(kHostBytes) != std::string::npos) {
    report.error("default_host_for_http_10", "syntax", proto.default_host_for_http_10(),
                 "must be a host, such as \"www.example.com\" or \"www.example.com:8080\"");
  }
}

http::UnderscoresAction toUnderscores(const core::HttpProtocolOptions& proto) {
  switch (proto.headers_with_underscores_action()) {
    case core::HttpProtocolOptions::REJECT_REQUEST:
      return http::UnderscoresAction::RejectRequest;
    case core::HttpProtocolOptions::DROP_HEADER:
      return http::UnderscoresAction::DropHeader;
    default:
      return http::UnderscoresAction::Allow;
  }
}

// Envoy's rule: the extensions are instead of use_remote_address and xff_num_trusted_hops.
void setIpDetection(const HttpConnectionManager& proto, const Context& context,
                    ConnectionManagerSpec* spec, base::FieldReport& report) {
  if (proto.original_ip_detection_extensions().empty()) return;
  if (proto.use_remote_address().value() || proto.xff_num_trusted_hops() > 0) {
    report.error("original_ip_detection_extensions", "conflict", "",
                 "they are instead of use_remote_address and xff_num_trusted_hops: remove these");
  }
  if (proto.original_ip_detection_extensions_size() > 1) {
    report.error("original_ip_detection_extensions", "too_many",
                 std::to_string(proto.original_ip_detection_extensions_size()),
                 "one of them always finds an address: write one");
  }
  auto at = report.in("original_ip_detection_extensions", 0);
  auto in = report.in("typed_config");
  auto made = context.registry->ip_detections.make(
      proto.original_ip_detection_extensions(0).typed_config(), context, report);
  if (!made.has_value()) return;
  spec->xff_num_trusted_hops = made->xff_num_trusted_hops;
  spec->trusted_proxies = std::move(made->trusted_proxies);
  // The peer counts, and is told to the next hop, where proxies are known by their addresses.
  spec->use_remote_address = !spec->trusted_proxies.empty();
}

void setInternalAddresses(const HttpConnectionManager& proto, ConnectionManagerSpec* spec,
                          base::FieldReport& report) {
  if (!proto.has_internal_address_config()) return;
  auto at = report.in("internal_address_config");
  const auto& internal = proto.internal_address_config();
  spec->unix_sockets_are_internal = internal.unix_sockets();
  for (int i = 0; i < internal.cidr_ranges_size(); ++i) {
    auto in = report.in("cidr_ranges", static_cast<size_t>(i));
    const auto range = toCidrRange(internal.cidr_ranges(i), report);
    if (range.has_value()) spec->internal_ranges.push_back(*range);
  }
}

void setEarlyMutations(const HttpConnectionManager& proto, const Context& context,
                       ConnectionManagerSpec* spec, base::FieldReport& report) {
  for (int i = 0; i < proto.early_header_mutation_extensions_size(); ++i) {
    auto at = report.in("early_header_mutation_extensions", static_cast<size_t>(i));
    auto in = report.in("typed_config");
    if (context.registry->early_header_mutations.make(
            proto.early_header_mutation_extensions(i).typed_config(), context, report)) {
      spec->append_forwarded = true;
    }
  }
}

std::optional<net::CidrRange> parseCidr(const std::string& text) {
  const size_t slash = text.find('/');
  const auto address = net::Address::fromIp(std::string_view(text).substr(0, slash), 0);
  if (!address.ok()) return std::nullopt;
  const uint8_t most = address->family() == net::Address::Family::Ipv4 ? 32 : 128;
  uint8_t length = most;
  if (slash != std::string::npos) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, length);
    if (error != std::errc() || stop != end || length > most) return std::nullopt;
  }
  return net::CidrRange{*address, length};
}

}  // namespace

void setRequestPolicy(const HttpConnectionManager& proto, const Context& context,
                      ConnectionManagerSpec* spec, base::FieldReport& report) {
  setPath(proto, spec);
  setHost(proto, spec, report);
  {
    auto at = report.in("http_protocol_options");
    setHttp10(proto.http_protocol_options(), spec, report);
  }
  spec->underscores = toUnderscores(proto.common_http_protocol_options());
  setIpDetection(proto, context, spec, report);
  setInternalAddresses(proto, spec, report);
  setEarlyMutations(proto, context, spec, report);
}

std::optional<http::IpDetection> makeXffDetection(
    const envoy::extensions::http::original_ip_detection::xff::v3::XffConfig& proto, const Context&,
    base::FieldReport&) {
  return http::IpDetection{.xff_num_trusted_hops = proto.xff_num_trusted_hops(),
                           .trusted_proxies = {}};
}

std::optional<http::IpDetection> makeTrustedProxies(const ext::TrustedProxies& proto,
                                                    const Context&, base::FieldReport& report) {
  http::IpDetection made;
  if (proto.cidrs().empty()) {
    report.error("cidrs", "required", "", "at least one range of addresses is needed");
  }
  for (int i = 0; i < proto.cidrs_size(); ++i) {
    auto at = report.in("cidrs", static_cast<size_t>(i));
    const auto range = parseCidr(proto.cidrs(i));
    if (range.has_value()) {
      made.trusted_proxies.push_back(*range);
    } else {
      report.error("syntax", proto.cidrs(i),
                   "must be a range of addresses, such as \"10.0.0.0/8\" or \"2001:db8::/32\"");
    }
  }
  return made;
}

}  // namespace convoy::config
