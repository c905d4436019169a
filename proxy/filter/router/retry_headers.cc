#include "proxy/filter/router/retry_headers.h"

#include <charconv>
#include <chrono>

#include "proxy/base/strings.h"
#include "proxy/route/retry_on.h"

namespace convoy::filter::router {

namespace {

std::optional<uint32_t> number(std::string_view text) {
  const auto value = decimal(text);
  if (!value.has_value() || *value > UINT32_MAX) return std::nullopt;
  return static_cast<uint32_t>(*value);
}

std::optional<event::Duration> milliseconds(std::string_view text) {
  const auto value = number(text);
  if (!value.has_value()) return std::nullopt;
  return std::chrono::milliseconds(*value);
}

struct Field {
  std::string_view name;  // lower case
  void (*read)(RetryOverrides& into, std::string_view value);
  bool of_hop = false;
};

constexpr Field kFields[] = {
    {"x-envoy-retry-on",
     [](RetryOverrides& o, std::string_view v) { o.on |= route::retryConditions(v); }},
    {"x-envoy-retry-grpc-on",
     [](RetryOverrides& o, std::string_view v) { o.on |= route::retryConditions(v); }},
    {"x-envoy-max-retries",
     [](RetryOverrides& o, std::string_view v) { o.max_retries = number(v); }},
    {"x-envoy-retriable-status-codes",
     [](RetryOverrides& o, std::string_view v) { o.statuses = v; }},
    {"x-envoy-retriable-header-names",
     [](RetryOverrides& o, std::string_view v) { o.header_names = v; }},
    {kPerTryTimeout,
     [](RetryOverrides& o, std::string_view v) { o.per_try_timeout = milliseconds(v); }},
    {kTimeout, [](RetryOverrides& o, std::string_view v) { o.timeout = milliseconds(v); }},
    {"x-envoy-hedge-on-per-try-timeout",
     [](RetryOverrides& o, std::string_view v) {
       if (v == "true") o.hedge = true;
       if (v == "false") o.hedge = false;
     }},
    {kExpectedTimeout, [](RetryOverrides& o, std::string_view v) { o.expected = milliseconds(v); },
     true},
    {kRetriesLeft, [](RetryOverrides& o, std::string_view v) { o.retries_left = number(v); }, true},
};

const Field* find(const http::HeaderField& field) {
  if (field.id != http::HeaderName::Other || !http::mayBeOfProxies(field.name)) return nullptr;
  for (const Field& known : kFields) {
    if (base::equalsIgnoreCase(known.name, field.name)) return &known;
  }
  return nullptr;
}

}  // namespace

std::optional<uint64_t> decimal(std::string_view text) {
  uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<RetryOverrides> takeRetryHeaders(http::RequestHead& head,
                                               bool (*counts)(void* self, bool of_hop),
                                               void* self) {
  std::optional<RetryOverrides> overrides;
  bool found = false;
  for (const http::HeaderField& field : head.headers) {
    const Field* const known = find(field);
    if (known == nullptr) continue;
    found = true;
    if (!counts(self, known->of_hop)) continue;
    if (!overrides.has_value()) overrides.emplace();
    known->read(*overrides, field.value);
  }
  if (!found) return std::nullopt;
  for (const Field& field : kFields) head.headers.remove(field.name);
  return overrides;
}

uint32_t takeRetriesUsed(http::ResponseHead& head) {
  const http::HeaderField* const field = head.headers.find(kRetriesUsed);
  if (field == nullptr) return 0;
  const uint32_t used = number(field->value).value_or(0);
  head.headers.remove(kRetriesUsed);
  return used;
}

}  // namespace convoy::filter::router
