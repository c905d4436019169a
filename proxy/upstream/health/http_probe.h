#pragma once

// Checks by an HTTP request, and by gRPC's health service (grpc.health.v1.Health/Check), each over
// an HttpExchange. See probe.h. What an answer means is in two pure functions.

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "proxy/route/conditions.h"
#include "proxy/upstream/health/http_exchange.h"
#include "proxy/upstream/health/probe.h"

namespace convoy::upstream {

// service_name: of the spec, compiled; null if there is none.
ProbeResult judgeHttp(const HttpCheckSpec& spec, const route::TextMatcher* service_name,
                      const CheckAnswer& answer);
ProbeResult judgeGrpc(const CheckAnswer& answer);

class HttpProbe final : public Probe {
 public:
  HttpProbe(ProbeServices& services, const ProbeOwner& owner, const ProbeTarget& target,
            const HttpCheckSpec& spec, Done done);
  void start() override { exchange_.start(request_); }
  std::string_view missing() const override { return exchange_.missing(); }

 private:
  const HttpCheckSpec& spec_;  // of the exchange's owner
  const CheckRequest request_;
  std::optional<route::TextMatcher> service_name_;
  const Done done_;
  HttpExchange exchange_;
};

class GrpcProbe final : public Probe {
 public:
  GrpcProbe(ProbeServices& services, const ProbeOwner& owner, const ProbeTarget& target,
            const GrpcCheckSpec& spec, Done done);
  void start() override { exchange_.start(request_); }
  std::string_view missing() const override { return exchange_.missing(); }

 private:
  const CheckRequest request_;
  const Done done_;
  HttpExchange exchange_;
};

}  // namespace convoy::upstream
