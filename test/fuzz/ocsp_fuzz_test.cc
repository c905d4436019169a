// Any bytes as an OCSP response. What is accepted names a certificate and a time, in bytes of the
// response, and is refused when anything is cut off or added.

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/assert.h"
#include "proxy/tls/ocsp.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  convoy::tls::OcspSignature signature;
  const auto response = convoy::tls::parseOcspResponse(bytes, &signature);
  if (!response.ok()) {
    CONVOY_ASSERT(!response.status().message().empty());
    return 0;
  }
  CONVOY_ASSERT(!response->serial.empty() && !response->hash_algorithm.empty());
  for (const std::string& part : {response->serial, response->hash_algorithm,
                                  response->issuer_name_hash, response->issuer_key_hash}) {
    CONVOY_ASSERT(bytes.find(part) != std::string_view::npos);
  }
  CONVOY_ASSERT(!response->validAt(response->next_update));
  // Views, each into the response.
  signature.certificates.insert(
      signature.certificates.end(),
      {signature.responder, signature.data, signature.algorithm, signature.bytes});
  for (const std::string_view part : signature.certificates) {
    CONVOY_ASSERT(part.data() >= bytes.data());
    CONVOY_ASSERT(part.data() + part.size() <= bytes.data() + bytes.size());
  }
  CONVOY_ASSERT(!convoy::tls::parseOcspResponse(bytes.substr(0, size - 1)).ok());
  CONVOY_ASSERT(!convoy::tls::parseOcspResponse(std::string(bytes) + 'x').ok());
  return 0;
}
