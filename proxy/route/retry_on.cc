#include "proxy/route/retry_on.h"

#include "proxy/base/strings.h"

namespace convoy::route {

namespace {

constexpr struct {
  std::string_view name;
  uint32_t condition;
} kConditions[] = {
    {"5xx", RetryOn::Status5xx},
    {"gateway-error", RetryOn::GatewayError},
    {"reset", RetryOn::Reset},
    {"reset-before-request", RetryOn::ResetBeforeRequest},
    {"connect-failure", RetryOn::ConnectFailure},
    {"refused-stream", RetryOn::RefusedStream},
    {"retriable-4xx", RetryOn::Retriable4xx},
    {"retriable-status-codes", RetryOn::RetriableStatusCodes},
    {"retriable-headers", RetryOn::RetriableHeaders},
    {"envoy-ratelimited", RetryOn::EnvoyRatelimited},
    {"cancelled", RetryOn::GrpcCancelled},
    {"deadline-exceeded", RetryOn::GrpcDeadlineExceeded},
    {"internal", RetryOn::GrpcInternal},
    {"resource-exhausted", RetryOn::GrpcResourceExhausted},
    {"unavailable", RetryOn::GrpcUnavailable},
};

}  // namespace

std::string_view takeName(std::string_view& list) {
  while (!list.empty()) {
    const size_t comma = list.find(',');
    const std::string_view name = base::trimmed(list.substr(0, comma));
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    if (!name.empty()) return name;
  }
  return {};
}

uint32_t retryCondition(std::string_view name) {
  for (const auto& known : kConditions) {
    if (base::equalsIgnoreCase(known.name, name)) return known.condition;
  }
  return 0;
}

uint32_t retryConditions(std::string_view list) {
  uint32_t conditions = 0;
  for (std::string_view name = takeName(list); !name.empty(); name = takeName(list)) {
    conditions |= retryCondition(name);
  }
  return conditions;
}

}  // namespace convoy::route
