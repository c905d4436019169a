#include "proxy/tls/metrics.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace convoy::tls {
namespace {

std::map<std::string, uint64_t> read(const TlsMetrics& metrics) {
  std::map<std::string, uint64_t> values;
  TlsMetrics::visit(metrics, [&](std::string_view name, const auto& field, std::string_view help) {
    EXPECT_FALSE(help.empty());
    values[std::string(name)] = field.value();
  });
  return values;
}

TEST(TlsMetrics, CountFailuresByReasonAndUnderEnvoysNames) {
  const struct {
    Failure failure;
    const char* reason;
    const char* envoy;
  } cases[] = {
      {Failure::NotTls, "ssl.failure.not_tls", nullptr},
      {Failure::PeerCertificateMissing, "ssl.failure.peer_certificate_missing",
       "ssl.fail_verify_no_cert"},
      {Failure::PeerCertificateUntrusted, "ssl.failure.peer_certificate_untrusted",
       "ssl.fail_verify_error"},
      {Failure::PeerNameMismatch, "ssl.failure.peer_name_mismatch", "ssl.fail_verify_san"},
      {Failure::PeerPinMismatch, "ssl.failure.peer_pin_mismatch", "ssl.fail_verify_cert_hash"},
      {Failure::OcspStapleMissing, "ssl.failure.ocsp_staple_missing", "ssl.ocsp_staple_failed"},
  };
  for (const auto& c : cases) {
    TlsMetrics metrics;
    metrics.countFailure(c.failure);
    auto values = read(metrics);
    EXPECT_EQ(values["ssl.connection_error"], 1u);
    EXPECT_EQ(values[c.reason], 1u) << c.reason;
    if (c.envoy != nullptr) {
      EXPECT_EQ(values[c.envoy], 1u) << c.envoy;
    }
  }
}

}  // namespace
}  // namespace convoy::tls
