#pragma once

// How gRPC statuses are written on the wire, and what failures below gRPC become
// ("gRPC over HTTP2", "HTTP to gRPC Status Code Mapping"). absl::StatusCode has gRPC's numbers.
// Pure functions.

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "proxy/event/clock.h"

namespace convoy::grpc {

// For a response with this HTTP status and no grpc-status. 200 is Unknown: the status is missing.
absl::StatusCode codeFromHttpStatus(int http_status);

// For a stream that the peer reset with this HTTP/2 error code.
absl::StatusCode codeFromHttp2Error(uint32_t error_code);

// The value of grpc-status; Unknown for everything that is no code.
absl::StatusCode parseCode(std::string_view text);

// grpc-message: %XX stands for a byte; a broken escape stands for itself.
std::string percentDecode(std::string_view text);

// Marks an error as one that this side found in the bytes of the peer, who reported none: they are
// no HTTP/2 (Unavailable), make no message, or one that is too large (ResourceExhausted). The text
// and the code stay.
absl::Status foundInBytes(absl::Status error);
bool isFoundInBytes(const absl::Status& status);

// The value of grpc-timeout, rounded up: at most eight digits and a unit.
std::string timeoutText(event::Duration timeout);

}  // namespace convoy::grpc
