#pragma once

// What a proxy must know of gRPC whatever carries it (grpc/doc/PROTOCOL-HTTP2.md): which requests
// are gRPC, their deadline, the status at the end of a response, and how a reply of the proxy's own
// looks to such a client. Pure functions of heads.

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/event/clock.h"
#include "proxy/http/failure.h"
#include "proxy/http/message.h"

namespace convoy::http {

// Content-Type application/grpc, alone, with a "+" suffix or parameters. gRPC-Web is another
// protocol.
bool isGrpc(const RequestHead& head);

// Of the grpc-timeout header; unset if there is none that can be read.
std::optional<event::Duration> grpcTimeout(const RequestHead& head);

// The status in these fields (trailers, or the head of a response that has nothing else); unset if
// there is none that can be read.
std::optional<uint8_t> grpcStatus(const HeaderList& fields);

// What a status of HTTP means to a client of gRPC that got it for this reason.
uint8_t grpcStatusOf(uint16_t http_status, Failure failure);
// The status of HTTP that says the same (of google.rpc.Code); 500 for numbers without a name.
uint16_t httpStatusOf(uint8_t grpc_status);

// "DeadlineExceeded", "DEADLINE_EXCEEDED"; empty for numbers that have no name.
std::string_view grpcStatusName(uint8_t status);
std::string_view grpcStatusSnakeName(uint8_t status);

// grpc-message's form of a text: what is not printable ASCII, and "%", as %XX.
std::string_view grpcMessage(std::string_view text, base::Arena& arena);

}  // namespace convoy::http
