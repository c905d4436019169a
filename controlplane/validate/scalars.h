#pragma once

// Rules on single values, shared by the checks of all resources. Each complains at the place that
// it is given and goes on.

#include <cstdint>

#include "absl/strings/string_view.h"
#include "api/convoy/v1/selector.pb.h"
#include "controlplane/validate/problems.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace convoy::controlplane::validate {

// Identity of listeners, route tables and pools.
void checkName(absl::string_view name, const Place& place);

enum class AddressUse {
  Listen,   // port 0 is allowed
  Connect,  // it is not; names of hosts are
};

// Returns the canonical form, or "" if it complained.
std::string checkAddress(absl::string_view address, AddressUse use, const Place& place);

// Inclusive range, in milliseconds. `text` is the range for people: "1 ms to 24 h".
void checkDuration(const google::protobuf::Duration& duration, int64_t least_ms, int64_t most_ms,
                   absl::string_view text, const Place& place);

void checkRange(uint64_t value, uint64_t least, uint64_t most, const Place& place);

void checkSelector(const v1::NodeSelector& selector, const Place& place);

// "/..." without query, fragment, blanks and control characters.
void checkPath(absl::string_view path, const Place& place);

// A domain name, an IP address, or "*." and a domain name; no port.
void checkHost(absl::string_view host, const Place& place);

// A name as of a header or a cookie (RFC 9110 5.6.2).
bool isToken(absl::string_view text);

// A header's name.
void checkHeaderName(absl::string_view name, const Place& place);

// Bytes that a header's value may have.
void checkHeaderValue(absl::string_view value, const Place& place);

void checkMethod(absl::string_view method, const Place& place);

// Protocols to switch to; "none" is one only where it may be said.
void checkUpgrades(const google::protobuf::RepeatedPtrField<std::string>& protocols,
                   bool none_allowed, const Place& place);

// Fields that this version of the API does not have, at any depth.
void checkUnknownFields(const google::protobuf::Message& message, const Place& place);

}  // namespace convoy::controlplane::validate
