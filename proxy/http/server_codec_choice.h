#pragma once

// Which protocol a client's connection speaks: what is configured, then what TLS agreed on (ALPN,
// RFC 7301), then the first bytes: those of HTTP/2 are fixed (RFC 9113 3.4, prior knowledge), and
// no HTTP/1.x request begins with them.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/http/spec.h"

namespace convoy::http {

inline constexpr std::string_view kH2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
inline constexpr std::string_view kAlpnH2 = "h2";

enum class ServerCodecChoice : uint8_t { Undecided, Http1, Http2 };

// `alpn`: empty without TLS, or if nothing was agreed on. `bytes` follow the first `seen` bytes of
// the preface, for which the answer was Undecided.
ServerCodecChoice chooseServerCodec(ConnectionManagerSpec::Codec configured, std::string_view alpn,
                                    size_t seen, std::string_view bytes);

}  // namespace convoy::http
