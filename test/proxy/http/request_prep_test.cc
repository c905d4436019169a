#include "proxy/http/request_prep.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "test/common/fake_transport.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::http {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

class RequestPrepTest : public testing::Test {
 protected:
  RequestPrepTest() : loop_(clock_) { spec_->use_remote_address = true; }

  ManagerRuntime& runtime() {
    if (runtime_ == nullptr) {
      runtime_ = std::make_unique<ManagerRuntime>(loop_.loop(), spec_, metrics_,
                                                  [] { return event::LocalRef<RouteMatcher>(); });
    }
    return *runtime_;
  }
  void request(const Headers& headers) {
    head_.scheme = "http";
    for (const auto& [name, value] : headers)
      head_.headers.add(arena_.copy(name), arena_.copy(value));
    info_.downstream_remote = &peer_;
    prepareRequest(head_, runtime(), arena_, info_);
  }
  void response(const Headers& headers) {
    for (const auto& [name, value] : headers) {
      response_.headers.add(arena_.copy(name), arena_.copy(value));
    }
    prepareResponse(response_, runtime(), info_);
  }
  std::string_view sent(HeaderName name) const { return head_.headers.valueOr(name, "(none)"); }
  std::string_view answered(HeaderName name) const {
    return response_.headers.valueOr(name, "(none)");
  }

  test::SimulatedClock clock_;
  test::TestLoop loop_;
  std::shared_ptr<ConnectionManagerSpec> spec_ = std::make_shared<ConnectionManagerSpec>();
  ManagerMetrics metrics_;
  std::unique_ptr<ManagerRuntime> runtime_;
  base::Arena arena_;
  net::Address peer_ = *net::Address::parse("192.0.2.7:5000");
  RequestHead head_;
  ResponseHead response_;
  StreamInfo info_;
};

// Envoy's table: who is the client, and what the upstream reads in X-Forwarded-For.
TEST(RequestPrepTableTest, ForwardedFor) {
  struct Case {
    const char* what;
    bool use_remote_address;
    uint32_t trusted_hops;
    bool skip_append;
    std::vector<std::string> received;
    std::string sent;
    std::string client;
  };
  const Case cases[] = {
      {"edge, nothing received", true, 0, false, {}, "192.0.2.7", "192.0.2.7"},
      {"edge, what the client says is kept and not believed",
       true,
       0,
       false,
       {"1.1.1.1"},
       "1.1.1.1, 192.0.2.7",
       "192.0.2.7"},
      {"edge behind one proxy",
       true,
       1,
       false,
       {"9.9.9.9, 1.1.1.1"},
       "9.9.9.9, 1.1.1.1, 192.0.2.7",
       "1.1.1.1"},
      {"edge behind two, the list is shorter",
       true,
       2,
       false,
       {"1.1.1.1"},
       "1.1.1.1, 192.0.2.7",
       "1.1.1.1"},
      {"edge, not to be appended", true, 0, true, {"1.1.1.1"}, "1.1.1.1", "192.0.2.7"},
      {"edge, two fields are one list",
       true,
       0,
       false,
       {"1.1.1.1", "2.2.2.2"},
       "1.1.1.1, 2.2.2.2, 192.0.2.7",
       "192.0.2.7"},
      {"inside, the last entry is the client",
       false,
       0,
       false,
       {"1.1.1.1, 2.2.2.2"},
       "1.1.1.1, 2.2.2.2",
       "2.2.2.2"},
      {"inside, one hop further",
       false,
       1,
       false,
       {"1.1.1.1, 2.2.2.2"},
       "1.1.1.1, 2.2.2.2",
       "1.1.1.1"},
      {"inside, nothing received", false, 0, false, {}, "(none)", "192.0.2.7"},
      {"inside, nothing but blanks", false, 0, false, {" , "}, " , ", "192.0.2.7"},
  };
  for (const Case& c : cases) {
    class Fixture : public RequestPrepTest {
     public:
      void TestBody() override {}
      void run(const Case& c) {
        spec_->use_remote_address = c.use_remote_address;
        spec_->xff_num_trusted_hops = c.trusted_hops;
        spec_->skip_xff_append = c.skip_append;
        Headers headers;
        for (const std::string& value : c.received) headers.emplace_back("X-Forwarded-For", value);
        request(headers);
        EXPECT_EQ(sent(HeaderName::XForwardedFor), c.sent) << c.what;
        EXPECT_EQ(info_.downstream_ip, c.client) << c.what;
      }
    };
    Fixture().run(c);
  }
}

TEST_F(RequestPrepTest, TheSchemeOfAStrangerIsNotBelieved) {
  request({{"X-Forwarded-Proto", "https"}});
  EXPECT_EQ(sent(HeaderName::XForwardedProto), "http");
}

TEST_F(RequestPrepTest, TheSchemeOfATrustedHopIsKept) {
  spec_->xff_num_trusted_hops = 1;
  request({{"X-Forwarded-Proto", "https"}});
  EXPECT_EQ(sent(HeaderName::XForwardedProto), "https");
}

TEST_F(RequestPrepTest, TheSchemeIsThatOfTheConnection) {
  const test::FakeTransport transport;
  info_.downstream_transport = &transport;
  request({{"X-Forwarded-Proto", "http"}});
  EXPECT_EQ(sent(HeaderName::XForwardedProto), "https");
  EXPECT_EQ(head_.scheme, "https");
}

TEST_F(RequestPrepTest, ATrustedHopTellsTheScheme) {
  spec_->xff_num_trusted_hops = 1;
  request({{"X-Forwarded-Proto", "HTTPS"}});
  EXPECT_EQ(head_.scheme, "https");
}

TEST_F(RequestPrepTest, AStrangersClaimOfACertificateIsRemoved) {
  request({{"X-Forwarded-Client-Cert", "Subject=admin"}});
  EXPECT_EQ(sent(HeaderName::XForwardedClientCert), "(none)");
}

TEST_F(RequestPrepTest, AStrangersRequestIdIsReplaced) {
  request({{"X-Request-ID", "forged"}});
  EXPECT_EQ(info_.request_id.size(), 36u);
  EXPECT_EQ(sent(HeaderName::XRequestId), info_.request_id);
  EXPECT_EQ(head_.headers.count(HeaderName::XRequestId), 1);
}

TEST_F(RequestPrepTest, ARequestIdIsKeptWhereItIsTrusted) {
  spec_->preserve_external_request_id = true;
  request({{"X-Request-ID", "mine"}});
  EXPECT_EQ(sent(HeaderName::XRequestId), "mine");
  EXPECT_EQ(info_.request_id, "mine");
}

TEST_F(RequestPrepTest, NoRequestIdIsMadeWhereNoneIsWanted) {
  spec_->generate_request_id = false;
  request({});
  EXPECT_EQ(sent(HeaderName::XRequestId), "(none)");
  EXPECT_EQ(info_.request_id, "");
}

TEST_F(RequestPrepTest, HopByHopFieldsGo) {
  request({{"Connection", "close, X-Hop"}, {"X-Hop", "1"}, {"Keep-Alive", "5"}, {"X-End", "2"}});
  EXPECT_EQ(sent(HeaderName::Connection), "(none)");
  EXPECT_EQ(sent(HeaderName::KeepAlive), "(none)");
  EXPECT_EQ(head_.headers.find("x-hop"), nullptr);
  EXPECT_NE(head_.headers.find("x-end"), nullptr);
  response({{"Connection", "close"}, {"X-End", "2"}});
  EXPECT_EQ(answered(HeaderName::Connection), "(none)");
  EXPECT_NE(response_.headers.find("x-end"), nullptr);
}

TEST_F(RequestPrepTest, ViaIsAddedToBothIfConfigured) {
  spec_->via = "convoy";
  request({{"Via", "1.1 other"}});
  response({});
  EXPECT_EQ(head_.headers.count(HeaderName::Via), 2);
  EXPECT_EQ(answered(HeaderName::Via), "convoy");
}

TEST_F(RequestPrepTest, TheServerFieldIsAsConfigured) {
  const struct {
    ServerHeaderPolicy policy;
    std::string received, expected;
  } cases[] = {{ServerHeaderPolicy::Overwrite, "b", "edge"},
               {ServerHeaderPolicy::Overwrite, "", "edge"},
               {ServerHeaderPolicy::AppendIfAbsent, "b", "b"},
               {ServerHeaderPolicy::AppendIfAbsent, "", "edge"},
               {ServerHeaderPolicy::PassThrough, "b", "b"},
               {ServerHeaderPolicy::PassThrough, "", "(none)"}};
  spec_->server_name = "edge";
  for (const auto& c : cases) {
    spec_->server_header = c.policy;
    response_.clear();
    response(c.received.empty() ? Headers{} : Headers{{"Server", c.received}});
    EXPECT_EQ(answered(HeaderName::Server), c.expected);
    EXPECT_LE(response_.headers.count(HeaderName::Server), 1);
  }
}

TEST_F(RequestPrepTest, ADateIsAddedWhereTheHostSaysNone) {
  response({});
  const std::string own(answered(HeaderName::Date));
  EXPECT_EQ(own.size(), std::string_view("Sun, 06 Nov 1994 08:49:37 GMT").size()) << own;
  response_.clear();
  response({{"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}});
  EXPECT_EQ(answered(HeaderName::Date), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST_F(RequestPrepTest, TheRequestIdIsInTheResponseIfConfigured) {
  spec_->always_set_request_id_in_response = true;
  request({});
  response({{"X-Request-ID", "another"}});
  EXPECT_EQ(answered(HeaderName::XRequestId), info_.request_id);
  EXPECT_EQ(response_.headers.count(HeaderName::XRequestId), 1);
}

}  // namespace
}  // namespace convoy::http
