#include "proxy/http/client_cert.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "test/common/fake_transport.h"

namespace convoy::http {
namespace {

class ClientCertTest : public testing::Test {
 protected:
  std::string sent(ClientCertPolicy policy, ClientCertDetails details = {},
                   const std::vector<std::string>& received = {"By=before"}) {
    spec_.client_cert = policy;
    spec_.client_cert_details = details;
    HeaderList headers;
    for (const std::string& value : received) {
      headers.add(HeaderName::XForwardedClientCert, value);
    }
    prepareClientCert(headers, spec_, arena_, info_);
    if (headers.count(HeaderName::XForwardedClientCert) == 0) return "(none)";
    EXPECT_EQ(headers.count(HeaderName::XForwardedClientCert), 1);
    return std::string(headers.valueOr(HeaderName::XForwardedClientCert, ""));
  }

  test::FakeTransport transport_;
  ConnectionManagerSpec spec_;
  base::Arena arena_;
  StreamInfo info_ = [this] {
    StreamInfo info;
    info.downstream_transport = &transport_;
    return info;
  }();
};

TEST_F(ClientCertTest, EachPolicy) {
  EXPECT_EQ(sent(ClientCertPolicy::Sanitize), "(none)");
  EXPECT_EQ(sent(ClientCertPolicy::ForwardOnly), "By=before");
  EXPECT_EQ(sent(ClientCertPolicy::AppendForward), "By=before,By=spiffe://a/proxy;Hash=c0ffee");
  EXPECT_EQ(sent(ClientCertPolicy::AppendForward, {}, {"a", "b"}),
            "a,b,By=spiffe://a/proxy;Hash=c0ffee");
  EXPECT_EQ(sent(ClientCertPolicy::SanitizeSet), "By=spiffe://a/proxy;Hash=c0ffee");
  EXPECT_EQ(sent(ClientCertPolicy::AlwaysForwardOnly), "By=before");
}

TEST_F(ClientCertTest, WithoutAVerifiedCertificateNothingIsBelieved) {
  transport_.has_peer = false;
  for (const ClientCertPolicy policy :
       {ClientCertPolicy::Sanitize, ClientCertPolicy::ForwardOnly, ClientCertPolicy::AppendForward,
        ClientCertPolicy::SanitizeSet}) {
    EXPECT_EQ(sent(policy), "(none)");
  }
  EXPECT_EQ(sent(ClientCertPolicy::AlwaysForwardOnly), "By=before");
  info_.downstream_transport = nullptr;
  EXPECT_EQ(sent(ClientCertPolicy::ForwardOnly), "(none)");
}

TEST_F(ClientCertTest, EachDetailInEnvoysForm) {
  const std::string begin = "By=spiffe://a/proxy;Hash=c0ffee;";
  EXPECT_EQ(sent(ClientCertPolicy::SanitizeSet, {.subject = true}),
            begin + "Subject=\"CN=\\\"client\\\",O=Convoy\"");
  EXPECT_EQ(sent(ClientCertPolicy::SanitizeSet, {.uri = true}),
            begin + "URI=spiffe://a/web;URI=spiffe://b/web");
  EXPECT_EQ(sent(ClientCertPolicy::SanitizeSet, {.dns = true}),
            begin + "DNS=a.example;DNS=b.example");
  EXPECT_EQ(sent(ClientCertPolicy::SanitizeSet, {.cert = true}),
            begin + "Cert=\"-----BEGIN%20X-----%0Aa%2Fb%2Bc%3D%0A\"");
  EXPECT_EQ(sent(ClientCertPolicy::SanitizeSet, {.chain = true}),
            begin + "Chain=\"leaf%2B%0Aca%3D%0A\"");
  EXPECT_EQ(sent(ClientCertPolicy::SanitizeSet, {.subject = true, .dns = true, .uri = true}),
            begin +
                "Subject=\"CN=\\\"client\\\",O=Convoy\";URI=spiffe://a/web;URI=spiffe://b/web;"
                "DNS=a.example;DNS=b.example");
  transport_.peer.uris.clear();
  EXPECT_EQ(sent(ClientCertPolicy::SanitizeSet, {.uri = true}), begin + "URI=");
}

// Names that their owner chose to look like more than one, in every element that has names.
TEST_F(ClientCertTest, NamesCannotBreakOut) {
  const struct {
    const char* name;
    const char* written;
  } cases[] = {
      {"a;URI=spiffe://admin,By=x", R"("a;URI=spiffe://admin,By=x")"},
      {"foo ", R"("foo ")"},
      {"a\tb", "\"a\tb\""},
      {"caf\xc3\xa9", "\"caf\xc3\xa9\""},
      {R"(a")", R"("a\"")"},
      {R"(a\)", R"("a\\")"},
      {R"(a\\)", R"("a\\\\")"},
      {R"(a\";By=x)", R"("a\\\";By=x")"},
      {R"(a;b\)", R"("a;b\\")"},
      {R"(\,\)", R"("\\,\\")"},
      {"spiffe://a/b-c_d.e~f:1@g?h!$&'()*+%2C", "spiffe://a/b-c_d.e~f:1@g?h!$&'()*+%2C"},
  };
  for (const auto& c : cases) {
    const std::string written = c.written;
    transport_.peer.our_uris = {c.name, "o"};
    transport_.peer.uris = {c.name, "u"};
    transport_.peer.dns_names = {c.name, "d"};
    EXPECT_EQ(
        sent(ClientCertPolicy::SanitizeSet, {.dns = true, .uri = true}),
        "By=" + written + ";By=o;Hash=c0ffee;URI=" + written + ";URI=u;DNS=" + written + ";DNS=d");
  }
}

// Without the character, or with another, it would be somebody else's.
TEST_F(ClientCertTest, ANameWithAControlCharacterIsLeftOut) {
  for (const char* name : {"spiffe://td/ad\x01min", "q\"\r\nX: y", "a\x7f"}) {
    transport_.peer.our_uris = {name, "o"};
    transport_.peer.uris = {name, "u"};
    transport_.peer.dns_names = {name, "d"};
    EXPECT_EQ(sent(ClientCertPolicy::SanitizeSet, {.dns = true, .uri = true}),
              "By=o;Hash=c0ffee;URI=u;DNS=d");
    transport_.peer.uris = {name};
    transport_.peer.dns_names = {name};
    EXPECT_EQ(sent(ClientCertPolicy::SanitizeSet, {.dns = true, .uri = true}),
              "By=o;Hash=c0ffee;URI=");
  }
}

TEST_F(ClientCertTest, NothingIsAppendedToAQuotationThatDoesNotEnd) {
  const std::string ours = "By=spiffe://a/proxy;Hash=c0ffee";
  EXPECT_EQ(sent(ClientCertPolicy::AppendForward, {}, {R"(URI="spiffe://admin)"}), ours);
  EXPECT_EQ(sent(ClientCertPolicy::AppendForward, {}, {R"(Subject="CN=a\")"}), ours);
  EXPECT_EQ(sent(ClientCertPolicy::AppendForward, {}, {"By=x", R"(URI=")"}), ours);
  const std::string whole = R"(Subject="CN=\"a\"";URI=x)";
  EXPECT_EQ(sent(ClientCertPolicy::AppendForward, {}, {whole}), whole + "," + ours);
}

// A subject comes escaped, by RFC 2253, whose escapes are those of the field.
TEST_F(ClientCertTest, ASubjectIsNotEscapedTwice) {
  transport_.peer.subject = R"(CN=a\"\;By=x\\)";
  EXPECT_EQ(sent(ClientCertPolicy::SanitizeSet, {.subject = true}),
            R"(By=spiffe://a/proxy;Hash=c0ffee;Subject="CN=a\"\;By=x\\")");
}

}  // namespace
}  // namespace convoy::http
