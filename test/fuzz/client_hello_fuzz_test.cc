// Any bytes as the beginning of a connection. A verdict, once reached, is not changed by bytes that
// come later, and no prefix reaches another one.

#include <cstdint>
#include <string_view>

#include "proxy/base/assert.h"
#include "proxy/tls/client_hello.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using convoy::tls::ClientHello;
  using convoy::tls::readClientHello;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const ClientHello whole = readClientHello(bytes);
  CONVOY_ASSERT(whole.server_name.size() <= 255);
  if (whole.verdict != ClientHello::Verdict::Complete) {
    CONVOY_ASSERT(whole.server_name.empty() && whole.application_protocols.empty());
  }
  const size_t step = size / 64 + 1;
  for (size_t cut = 0; cut < size; cut += step) {
    const ClientHello part = readClientHello(bytes.substr(0, cut));
    if (part.verdict == ClientHello::Verdict::Incomplete) continue;
    CONVOY_ASSERT(part.verdict == whole.verdict && part.server_name == whole.server_name);
    CONVOY_ASSERT(part.application_protocols == whole.application_protocols);
  }
  return 0;
}
