#include "test/common/ocsp_cases.h"

#include <sys/wait.h>

#include <cstdlib>

#include "proxy/base/assert.h"
#include "test/common/test_ca.h"

namespace convoy::test {

namespace {

std::string response(const std::string& name) {
  static const bool made = [] {
    const int status = std::system(("test/common/ocsp_cases.sh " + caPath("")).c_str());
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }();
  CONVOY_ASSERT(made);
  return caFile(name + ".ocsp");
}

// The signature stands last where no certificates come along.
std::string withAWrongSignature() {
  std::string der = response("bare");
  der.back() = static_cast<char>(der.back() ^ 1);
  return der;
}

// Of one without certificates: 0 is producedAt, 1 thisUpdate, 2 nextUpdate.
std::string withTime(int which, const std::string& time) {
  const std::string time_of_this_century(
      "\x18\x0f"
      "20");
  CONVOY_ASSERT(time.size() == 15);
  std::string der = response("bare");
  size_t at = der.find(time_of_this_century);
  for (int i = 0; i < which; ++i) at = der.find(time_of_this_century, at + 1);
  CONVOY_ASSERT(at != std::string::npos);
  return der.replace(at + 2, time.size(), time);
}

}  // namespace

std::vector<OcspCase> ocspCases() {
  const std::string alone = caFile("ecdsa.pem");
  const std::string chain = caFile("ecdsa_with_ca.pem");
  const char* const kNobody = "extended key usage OCSPSigning";
  return {
      {"of the issuer", chain, response("by_issuer"), nullptr},
      {"of the issuer, named by its key", chain, response("by_key"), nullptr},
      {"of the issuer, without its certificate", chain, response("bare"), nullptr},
      {"with names hashed by SHA-256", chain, response("sha256_id"), nullptr},
      {"of a responder", chain, response("by_responder"), nullptr},
      {"of a responder, named by its key", chain, response("by_responder_key"), nullptr},
      {"signed with RSA and SHA-256", chain, response("by_rsa_sha256"), nullptr},
      {"signed with RSA and SHA-384", chain, response("by_rsa_sha384"), nullptr},
      {"signed with RSA and SHA-512", chain, response("by_rsa_sha512"), nullptr},
      {"wrong signature, no issuer to check with", alone, withAWrongSignature(), nullptr},
      {"wrong signature", chain, withAWrongSignature(), "signature is wrong"},
      {"a time that was not signed", chain, withTime(2, "21260101000000Z"), "signature is wrong"},
      {"of an impostor with the issuer's name", chain, response("by_impostor"),
       "signature is wrong"},
      {"of an impostor, named by its key", chain, response("by_impostor_key"), kNobody},
      {"of a responder that is nowhere", chain, response("bare_responder"), kNobody},
      {"of a responder without a usage", chain, response("by_plain"), kNobody},
      {"of a web server", chain, response("by_web"), kNobody},
      {"of another authority's responder", chain, response("by_strange"), kNobody},
      {"signed with SHA-1", chain, response("sha1"), "SHA-1"},
      {"signed with RSA-PSS", chain, response("pss"), "algorithm"},
      {"for longer than anybody can count", alone, withTime(2, "99991231235959Z"), nullptr},
      {"produced long ago", alone, withTime(0, "19000101000000Z"), nullptr},
      {"produced in a fraction of a second", alone, withTime(0, "202611280000.5Z"), "DER"},
      {"from a fraction of a second on", alone, withTime(1, "202611280000.5Z"), "DER"},
      {"until a fraction of a second", alone, withTime(2, "202611280000.5Z"), "DER"},
      {"until a leap second", alone, withTime(2, "20261231235960Z"), "DER"},
      {"until the thirteenth month", alone, withTime(2, "20261301000000Z"), "DER"},
      {"without an end", alone, response("endless"), "no nextUpdate"},
      {"about several certificates", alone, response("several"), "several certificates"},
      {"of another certificate", alone, caFile("renewed.ocsp"), "another certificate"},
      {"of another issuer, by its name", alone, response("other_issuer"), "another certificate"},
      {"of another issuer", chain, response("other_issuer"), "another certificate"},
      {"revoked", alone, response("revoked"), "revoked or unknown"},
      {"unknown", alone, response("unknown"), "revoked or unknown"},
      {"more than a response", chain, response("by_issuer") + "x", "DER"},
      {"no response", chain, "x", "DER"},
      {"an error of the responder", chain, std::string("\x30\x03\x0a\x01\x01", 5), "status"},
  };
}

std::string ocspOfAShortLivedResponder() {
  return response("by_responder");
}

}  // namespace convoy::test
