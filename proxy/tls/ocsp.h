#pragma once

// Reads what stapling needs to know of an OCSP response (RFC 6960 4.2.1, DER): which certificate it
// is about, and how long it holds. The signature is the client's to check. Untrusted input:
// bounded, strict, no allocation but the result. Any thread.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proxy/event/clock.h"

namespace convoy::tls {

struct OcspResponse {
  enum class Status : uint8_t { Good, Revoked, Unknown };
  Status status = Status::Unknown;
  std::string serial;          // the INTEGER's content, as in the certificate
  std::string hash_algorithm;  // DER of the OID's content
  std::string issuer_name_hash;
  std::string issuer_key_hash;
  event::WallTime this_update;
  std::optional<event::WallTime> next_update;

  bool validAt(event::WallTime now) const {
    return this_update <= now && next_update.has_value() && now < *next_update;
  }
};

// The error names the place in the response and the rule.
absl::StatusOr<OcspResponse> parseOcspResponse(std::string_view der);

}  // namespace convoy::tls
