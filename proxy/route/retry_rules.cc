#include "proxy/route/retry_rules.h"

#include <algorithm>
#include <string>
#include <utility>

#include "proxy/event/random.h"
#include "proxy/route/retry_on.h"

namespace convoy::route {

namespace {

uint16_t leastStatusFor(const RetryPolicy& policy) {
  constexpr uint32_t kAnyStatus =
      RetryOn::RetriableHeaders | RetryOn::RetriableStatusCodes | RetryOn::kGrpc;
  if (policy.tell_next_hop || (policy.on & kAnyStatus) != 0) return 0;
  return (policy.on & RetryOn::kResponses) != 0 ? 400 : UINT16_MAX;
}

}  // namespace

RetryRules::RetryRules(std::shared_ptr<const RetryPolicy> policy)
    : policy_(std::move(policy)), least_status_(leastStatusFor(*policy_)) {}

absl::StatusOr<std::shared_ptr<const RetryRules>> RetryRules::compile(
    std::shared_ptr<const RetryPolicy> policy) {
  std::shared_ptr<RetryRules> rules(new RetryRules(std::move(policy)));
  if (absl::Status s = add(rules->policy_->request_headers, &rules->request_); !s.ok()) return s;
  if (absl::Status s = add(rules->policy_->response_headers, &rules->response_); !s.ok()) return s;
  return std::shared_ptr<const RetryRules>(std::move(rules));
}

absl::Status RetryRules::add(const std::vector<HeaderMatch>& from,
                             std::vector<std::unique_ptr<Condition>>* to) {
  for (const HeaderMatch& header : from) {
    auto condition = std::make_unique<Condition>();
    condition->match.headers.push_back(header);
    auto compiled = Conditions::compile(condition->match);
    if (!compiled.ok()) return compiled.status();
    condition->compiled.push_back(*std::move(compiled));
    to->push_back(std::move(condition));
  }
  return absl::OkStatus();
}

bool RetryRules::requestQualifies(const http::RequestHead& head) const {
  // Conditions on headers draw nothing.
  event::Random unused(0);
  Draw draw(unused);
  return request_.empty() ||
         std::any_of(request_.begin(), request_.end(), [&](const auto& condition) {
           return condition->compiled[0].holds(head, draw);
         });
}

bool RetryRules::headersMatch(const http::ResponseHead& head) const {
  if (response_.empty()) return false;
  event::Random unused(0);
  Draw draw(unused);
  const std::string status = std::to_string(head.status);
  // Conditions know requests; what matters here is the same.
  http::RequestHead probe;
  probe.headers = head.headers;
  probe.headers.add(":status", status);
  probe.body = head.body;
  return std::any_of(response_.begin(), response_.end(), [&](const auto& condition) {
    return condition->compiled[0].holds(probe, draw);
  });
}

}  // namespace convoy::route
