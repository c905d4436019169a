#pragma once

// Reads the ClientHello (RFC 8446 4.1.2) from the first bytes of a connection without consuming
// them, so that the server name and ALPN can choose a filter chain before anything speaks TLS: the
// chain may be plain text or have certificates of its own. Our own parser and not BoringSSL's early
// callback, because before the choice there is no SSL object, and a refused connection should never
// cost one. Untrusted input: every length is checked, at most kMaxBytes are looked at.
//
// Any thread; no TLS library.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace convoy::tls {

struct ClientHello {
  // As Envoy's max_client_hello_size.
  static constexpr size_t kMaxBytes = 16 * 1024;

  enum class Verdict : uint8_t {
    Incomplete,  // more bytes are needed
    Complete,    // the fields below are filled in
    NotTls,      // plain text
    Invalid,     // begins like TLS, but is malformed, or too long
  };
  Verdict verdict = Verdict::Incomplete;
  std::string server_name;                         // lower case; empty: none
  std::vector<std::string> application_protocols;  // in the client's order
};

// `bytes`: all that has arrived so far.
ClientHello readClientHello(std::string_view bytes);

}  // namespace convoy::tls
