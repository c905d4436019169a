#pragma once

// A RetryPolicy (retry_spec.h) with its conditions on headers compiled. Immutable, shared by the
// routes that have the same policy; lives as long as its RouteTable.

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "proxy/http/message.h"
#include "proxy/route/conditions.h"
#include "proxy/route/spec.h"

namespace convoy::route {

class RetryRules {
 public:
  static absl::StatusOr<std::shared_ptr<const RetryRules>> compile(
      std::shared_ptr<const RetryPolicy> policy);

  const RetryPolicy& policy() const { return *policy_; }
  // Responses with a lower status do not matter; above all statuses: none does.
  uint16_t leastStatus() const { return least_status_; }
  // retriable_request_headers: whether this request may be sent again at all.
  bool requestQualifies(const http::RequestHead& head) const;
  // retriable_headers: whether one of them is in the response. ":status" works as a name.
  bool headersMatch(const http::ResponseHead& head) const;

 private:
  // One condition, with what it refers to.
  struct Condition {
    Match match;
    std::vector<Conditions> compiled;  // one
  };
  explicit RetryRules(std::shared_ptr<const RetryPolicy> policy);
  static absl::Status add(const std::vector<HeaderMatch>& from,
                          std::vector<std::unique_ptr<Condition>>* to);

  const std::shared_ptr<const RetryPolicy> policy_;
  uint16_t least_status_;
  std::vector<std::unique_ptr<Condition>> request_;
  std::vector<std::unique_ptr<Condition>> response_;
};

}  // namespace convoy::route
