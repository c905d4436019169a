#include "proxy/config/hash_policy.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/config/values.h"

namespace convoy::config {
namespace {

namespace proto = envoy::config::route::v3;
using Proto = proto::RouteAction::HashPolicy;

// What stands in a Set-Cookie as it is (RFC 6265 4.1.1).
bool fitsCookie(std::string_view text, std::string_view marks) {
  return std::all_of(text.begin(), text.end(), [marks](char c) {
    return c > ' ' && c < 0x7f && marks.find(c) == std::string_view::npos;
  });
}

void setCookie(const Proto::Cookie& proto, route::HashPolicy* policy, base::FieldReport& report) {
  auto at = report.in("cookie");
  policy->kind = route::HashPolicy::Kind::Cookie;
  policy->name = proto.name();
  if (!fitsCookie(proto.name(), "()<>@,;:\\\"/[]?={}")) {
    report.error("name", "malformed", proto.name(), "must be a token, such as \"session\"");
  }
  if (proto.has_ttl()) policy->cookie_ttl = toMilliseconds(proto.ttl(), "ttl", report);
  policy->cookie_path = proto.path();
  if (!fitsCookie(proto.path(), ";")) {
    report.error("path", "malformed", proto.path(), "must be a path without \";\" and blanks");
  }
  for (int i = 0; i < proto.attributes_size(); ++i) {
    auto in = report.in("attributes", static_cast<size_t>(i));
    const auto& [name, value] = std::pair(proto.attributes(i).name(), proto.attributes(i).value());
    if (!fitsCookie(value, ";")) {
      report.error("value", "malformed", value,
                   "must not have \";\", blanks or control characters");
    }
    policy->cookie_attributes.emplace_back(name, value);
  }
}

}  // namespace

std::vector<route::HashPolicy> toHashPolicies(const proto::RouteAction& action,
                                              base::FieldReport& report) {
  std::vector<route::HashPolicy> policies;
  for (int i = 0; i < action.hash_policy_size(); ++i) {
    auto at = report.in("hash_policy", static_cast<size_t>(i));
    const Proto& proto = action.hash_policy(i);
    route::HashPolicy policy;
    policy.terminal = proto.terminal();
    switch (proto.policy_specifier_case()) {
      case Proto::kHeader:
        policy.kind = route::HashPolicy::Kind::Header;
        policy.name = proto.header().header_name();
        break;
      case Proto::kCookie:
        setCookie(proto.cookie(), &policy, report);
        break;
      case Proto::kConnectionProperties:
        if (!proto.connection_properties().source_ip()) continue;  // names nothing
        policy.kind = route::HashPolicy::Kind::SourceIp;
        break;
      case Proto::kQueryParameter:
        policy.kind = route::HashPolicy::Kind::QueryParameter;
        policy.name = proto.query_parameter().name();
        break;
      default:  // the field table or validate.rules refuse it
        continue;
    }
    policies.push_back(std::move(policy));
  }
  return policies;
}

}  // namespace convoy::config
