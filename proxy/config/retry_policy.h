#pragma once

// envoy.config.route.v3.RetryPolicy and HedgePolicy to route::RetryPolicy: a route's, or what it
// has from its virtual host.

#include <array>
#include <memory>

#include "api/convoy/ext/route_policy.pb.h"
#include "envoy/config/route/v3/route_components.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/route/spec.h"

namespace convoy::config {

using RetryPolicyPtr = std::shared_ptr<const route::RetryPolicy>;

// The policies of one virtual host's routes: those that say the same share one.
class RetryPolicies {
 public:
  // Refers to its arguments. The report is at the host.
  RetryPolicies(const envoy::config::route::v3::VirtualHost& host, const Context& context,
                base::FieldReport& report);

  // REQUIRES: `forward` is what the route does. The report is at the route.
  void set(const envoy::config::route::v3::Route& route, route::Forward* forward);

 private:
  static size_t bitsOf(const ext::RetryExtras& extras);
  RetryPolicyPtr of(const envoy::config::route::v3::Route& route);

  const envoy::config::route::v3::VirtualHost& host_;
  const Context& context_;
  base::FieldReport& report_;
  static constexpr size_t kExtras = 5;
  RetryPolicyPtr of_host_;                                     // null if the host says nothing
  std::array<RetryPolicyPtr, size_t{1} << kExtras> extended_;  // the host's, by the routes' extras
};

}  // namespace convoy::config
