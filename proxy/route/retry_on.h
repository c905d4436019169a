#pragma once

// What a request may be sent again for, by Envoy's names (x-envoy-retry-on and
// x-envoy-retry-grpc-on): "5xx", "connect-failure", "unavailable". Pure functions.

#include <cstdint>
#include <string_view>

namespace convoy::route {

struct RetryOn {
  enum Condition : uint32_t {
    Status5xx = 1U << 0,
    GatewayError = 1U << 1,
    Reset = 1U << 2,
    ResetBeforeRequest = 1U << 3,
    ConnectFailure = 1U << 4,
    RefusedStream = 1U << 5,
    Retriable4xx = 1U << 6,
    RetriableStatusCodes = 1U << 7,
    RetriableHeaders = 1U << 8,
    EnvoyRatelimited = 1U << 9,
    GrpcCancelled = 1U << 10,
    GrpcDeadlineExceeded = 1U << 11,
    GrpcInternal = 1U << 12,
    GrpcResourceExhausted = 1U << 13,
    GrpcUnavailable = 1U << 14,
  };
  static constexpr uint32_t kGrpc =
      GrpcCancelled | GrpcDeadlineExceeded | GrpcInternal | GrpcResourceExhausted | GrpcUnavailable;
  // Those that look at a response.
  static constexpr uint32_t kResponses = Status5xx | GatewayError | Retriable4xx |
                                         RetriableStatusCodes | RetriableHeaders |
                                         EnvoyRatelimited | kGrpc;
  // Those that can come when part of the request has been sent.
  static constexpr uint32_t kSent = kResponses | Reset | RefusedStream;
};

// Takes the first name off a list with commas; empty: there is no more.
std::string_view takeName(std::string_view& list);

// The condition of this name, which ignores case; 0: there is none.
uint32_t retryCondition(std::string_view name);

// Of a whole list. Names that are not known are left out, as Envoy does.
uint32_t retryConditions(std::string_view list);

}  // namespace convoy::route
