#pragma once

// Reads what stapling needs to know of an OCSP response (RFC 6960 4.2.1, DER): which certificate it
// is about, how long it holds, and who says so; responder.h checks that. Untrusted input: bounded,
// strict, no allocation but the result. Any thread.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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
  event::WallTime next_update;

  bool validAt(event::WallTime now) const { return this_update <= now && now < next_update; }
};

// What the signature needs: views into the response.
struct OcspSignature {
  enum class By : uint8_t { Name, Key };
  By by = By::Name;
  std::string_view responder;  // its name, DER; or the SHA-1 of its key
  std::string_view data;       // what is signed
  std::string_view algorithm;  // the OID's content
  std::string_view bytes;
  std::vector<std::string_view> certificates;  // DER, each of a responder or what signs it
};

// The error names the place in the response and the rule. `signature` may be null.
absl::StatusOr<OcspResponse> parseOcspResponse(std::string_view der,
                                               OcspSignature* signature = nullptr);

}  // namespace convoy::tls
