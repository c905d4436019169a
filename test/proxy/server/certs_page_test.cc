#include "proxy/server/certs_page.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "google/protobuf/struct.pb.h"
#include "test/common/test_ca.h"
#include "test/common/tls_bootstrap.h"
#include "test/proxy/server/pages.h"

namespace convoy::server {
namespace {

using google::protobuf::Struct;

const Struct& first(const Struct& object, const std::string& list) {
  return object.fields().at(list).list_value().values(0).struct_value();
}
std::string text(const Struct& object, const std::string& field) {
  return object.fields().at(field).string_value();
}

TEST(CertsPageTest, ShowsChainsAndTrustAnchors) {
  (void)test::caPath("ca.pem");  // makes them, which takes longer than anybody waits
  test::FakeUpstream web;
  const std::string common = absl::StrCat(
      "tls_certificates: [{certificate_chain: {filename: ", test::caPath("ecdsa.pem"),
      "}, private_key: {filename: ", test::caPath("ecdsa.key"),
      "}, ocsp_staple: {filename: ", test::caPath("ecdsa.ocsp"),
      "}}], validation_context: {trusted_ca: {filename: ", test::caPath("ca.pem"), "}}");
  test::ProxyHarness proxy(test::tlsBootstrap(test::chain(test::downstreamTls(common)),
                                              test::cluster("web", web.address())));
  const auto page = readJson<Struct>(ask(proxy, "/certs"));
  const auto& all = page.fields().at("certificates").list_value();
  ASSERT_EQ(all.values_size(), 2);
  const Struct& leaf = first(all.values(0).struct_value(), "cert_chain");
  EXPECT_EQ(text(leaf, "path"), test::caPath("ecdsa.pem"));
  EXPECT_EQ(text(first(leaf, "subject_alt_names"), "dns"), "example.com");
  EXPECT_EQ(text(leaf, "days_until_expiration"), "89");
  EXPECT_FALSE(text(leaf, "serial_number").empty());
  EXPECT_LT(text(leaf, "valid_from"), text(leaf, "expiration_time"));
  const Struct& ocsp = leaf.fields().at("ocsp_details").struct_value();
  EXPECT_LT(text(ocsp, "valid_from"), text(ocsp, "expiration"));
  const Struct& anchor = first(all.values(1).struct_value(), "ca_cert");
  EXPECT_EQ(text(anchor, "path"), test::caPath("ca.pem"));
  EXPECT_FALSE(anchor.fields().contains("ocsp_details"));
}

TEST(CertsPageTest, IsEmptyWithoutCertificates) {
  test::FakeUpstream web;
  test::ProxyHarness proxy(test::staticBootstrap(web.address()));
  const auto page = readJson<Struct>(ask(proxy, "/certs"));
  EXPECT_EQ(page.fields().at("certificates").list_value().values_size(), 0);
}

}  // namespace
}  // namespace convoy::server
