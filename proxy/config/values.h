#pragma once

// Small pieces that several converters share: durations, addresses, percentages, data sources,
// matchers of strings. Each says what is wrong at the report's field and then returns a harmless
// value.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "envoy/config/core/v3/address.pb.h"
#include "envoy/config/core/v3/base.pb.h"
#include "envoy/config/core/v3/config_source.pb.h"
#include "envoy/type/matcher/v3/regex.pb.h"
#include "envoy/type/matcher/v3/string.pb.h"
#include "envoy/type/v3/percent.pb.h"
#include "google/protobuf/duration.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"
#include "proxy/net/address.h"
#include "proxy/net/spec.h"
#include "proxy/route/spec.h"

namespace convoy::config {

using Milliseconds = std::chrono::milliseconds;

// Rounded up to whole milliseconds, so that a positive duration never becomes 0, which often means
// "none"; at most a hundred years, which nanoseconds can count. Negative: an error at `field`.
Milliseconds toMilliseconds(const google::protobuf::Duration& duration, std::string_view field,
                            base::FieldReport& report);

enum class Port : uint8_t { Any, NotZero };

std::optional<net::Address> toAddress(const envoy::config::core::v3::Address& proto, Port port,
                                      base::FieldReport& report);
std::optional<net::Address> toAddress(const envoy::config::core::v3::SocketAddress& proto,
                                      Port port, base::FieldReport& report);
std::optional<net::CidrRange> toCidrRange(const envoy::config::core::v3::CidrRange& proto,
                                          base::FieldReport& report);

// Out of a million.
uint32_t toMillionths(const envoy::type::v3::FractionalPercent& proto);

// What the source holds. Empty if it names a file and Context::read_files is off.
std::string readDataSource(const envoy::config::core::v3::DataSource& proto, size_t max_bytes,
                           const Context& context, base::FieldReport& report);

// Checks that RE2 takes the expression.
void checkRegex(const std::string& regex, std::string_view field, base::FieldReport& report);

std::optional<route::StringMatch> toStringMatch(
    const envoy::type::matcher::v3::StringMatcher& proto, base::FieldReport& report);

// Checks that resources come from ADS: there is no other source. Returns how long the first one is
// waited for: initial_fetch_timeout, 15 s if unset; 0: for ever.
Milliseconds toFetchTimeout(const envoy::config::core::v3::ConfigSource& proto,
                            base::FieldReport& report);

}  // namespace convoy::config
