#pragma once

// OCSP responses about ecdsa.pem, made by the openssl command, and what becomes of them: the same
// for a node, with BoringSSL, and the control plane, with OpenSSL.

#include <string>
#include <vector>

namespace convoy::test {

struct OcspCase {
  const char* what;
  std::string chain;  // PEM; with ecdsa.key
  std::string der;
  const char* refused;  // words of the error; null: accepted
};
std::vector<OcspCase> ocspCases();

// Signed by a responder whose certificate ends four days before the response.
std::string ocspOfAShortLivedResponder();

}  // namespace convoy::test
