#include "proxy/http/log_format.h"

#include <gtest/gtest.h>

#include <string>

#include "test/common/fake_transport.h"

namespace convoy::http {
namespace {

constexpr std::chrono::milliseconds kMs(1);

class LogFormatTest : public testing::Test {
 protected:
  LogFormatTest() {
    request_.method = "GET";
    request_.target = "/a?b=c";
    request_.authority = "shop.test";
    request_.scheme = "http";
    request_.headers.add("user-agent", "say \"hi\"\\");
    request_.headers.add("x-raw", "caf\xc3\xa9");
    response_.headers.add("x-served-by", "b1");
    info_.started = event::MonotonicTime(std::chrono::seconds(100));
    info_.request_received = info_.started + 1 * kMs;
    info_.response_started = info_.started + 5 * kMs;
    info_.ended = info_.started + 9 * kMs;
    info_.bytes_received = 3;
    info_.bytes_sent = 1024;
    info_.status = 200;
    info_.upstream_attempts = 1;
    info_.upstream_host = "10.0.0.1:80";
    info_.cluster = "web";
    info_.route_name = "r";
    info_.virtual_host = "v";
    info_.request_id = "id-1";
    info_.downstream_ip = "192.0.2.7";
    info_.downstream_remote = &remote_;
    info_.downstream_local = &local_;
    info_.downstream_direct_remote = &direct_remote_;
    info_.downstream_direct_local = &direct_local_;
  }

  std::string render(const AccessLogSpec& spec) {
    auto format = LogFormat::compile(spec);
    EXPECT_TRUE(format.ok()) << format.status();
    char line[4096];
    LineBuffer out(line, sizeof(line));
    const event::WallTime started(std::chrono::milliseconds(1'700'000'000'123));
    format->render({request_, response_, info_, started}, out);
    return {line, out.size()};
  }
  std::string text(std::string format) {
    AccessLogSpec spec;
    spec.text_format = std::move(format);
    return render(spec);
  }

  RequestHead request_;
  ResponseHead response_;
  StreamInfo info_;
  net::Address remote_ = *net::Address::parse("192.0.2.9:4000");
  net::Address local_ = *net::Address::parse("[2001:db8::1]:443");
  net::Address direct_remote_ = *net::Address::parse("10.0.0.9:6000");
  net::Address direct_local_ = *net::Address::parse("[fd00::1]:8443");
};

TEST_F(LogFormatTest, SaysWhatIsKnownOfTheTransport) {
  const std::string all =
      "%DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_TLS_CIPHER% %REQUESTED_SERVER_NAME% "
      "%DOWNSTREAM_PEER_URI_SAN% %DOWNSTREAM_PEER_DNS_SAN% %DOWNSTREAM_PEER_FINGERPRINT_256% "
      "%DOWNSTREAM_TRANSPORT_FAILURE_REASON% %UPSTREAM_TRANSPORT_FAILURE_REASON%";
  EXPECT_EQ(text(all), "- - - - - - - -");
  test::FakeTransport transport;
  info_.downstream_transport = &transport;
  info_.upstream_transport_failure = "not_tls";
  EXPECT_EQ(text(all),
            "TLSv1.3 TLS_AES_128_GCM_SHA256 shop.example spiffe://a/web,spiffe://b/web "
            "a.example,b.example c0ffee - not_tls");
  transport.peer.subject = "CN=client";
  EXPECT_EQ(text("%DOWNSTREAM_PEER_SUBJECT%"), "CN=client");
  transport.has_peer = false;
  EXPECT_EQ(text("%DOWNSTREAM_PEER_SUBJECT%"), "-");
}

// A line has 160 bytes for it, which the first name may fill.
TEST_F(LogFormatTest, AListOfNamesIsCutInALineAndWholeInAHeader) {
  test::FakeTransport transport;
  const std::string name = "spiffe://a/" + std::string(200, 'w');
  transport.peer.uris = {name, "spiffe://b/web"};
  transport.peer.dns_names = {"a.example", std::string(200, 'w')};
  info_.downstream_transport = &transport;
  EXPECT_EQ(text("<%DOWNSTREAM_PEER_URI_SAN%>"), "<" + name.substr(0, 157) + "...>");
  EXPECT_EQ(text("<%DOWNSTREAM_PEER_DNS_SAN%>"), "<a.example," + std::string(147, 'w') + "...>");
  base::Arena arena;
  const auto pieces = parseLogFormat("<%DOWNSTREAM_PEER_URI_SAN%>%REQ(:METHOD)%");
  const auto value = formatText(*pieces, {request_, response_, info_, {}}, arena);
  EXPECT_EQ(std::string(value.begin(), value.end()), "<" + name + ",spiffe://b/web>GET");
}

TEST_F(LogFormatTest, RendersEveryOperator) {
  const std::pair<std::string, std::string> cases[] = {
      {"%START_TIME%", "2023-11-14T22:13:20.123Z"},
      {"%START_TIME(%Y/%m)%", "2023/11"},
      {"%REQ(:METHOD)% %REQ(:PATH)% %REQ(:AUTHORITY)% %REQ(:SCHEME)%", "GET /a?b=c shop.test http"},
      {"%REQ(NOTHING)%", "-"},
      {"%REQ(NOTHING?:PATH)%", "/a?b=c"},
      {"%REQ(:PATH):2%", "/a"},
      {"%RESP(X-Served-By)% %RESP(NOTHING)%", "b1 -"},
      {"%PROTOCOL%", "HTTP/1.1"},
      {"%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%", "200 - via_upstream"},
      {"%BYTES_RECEIVED% %BYTES_SENT%", "3 1024"},
      {"%DURATION% %REQUEST_DURATION% %RESPONSE_DURATION% %RESPONSE_TX_DURATION%", "9 1 5 4"},
      {"%UPSTREAM_HOST% %UPSTREAM_CLUSTER% %UPSTREAM_REQUEST_ATTEMPT_COUNT%", "10.0.0.1:80 web 1"},
      {"%DOWNSTREAM_REMOTE_ADDRESS%", "192.0.2.9:4000"},
      {"%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "192.0.2.7"},
      {"%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%", "10.0.0.9:6000"},
      {"%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%", "10.0.0.9"},
      {"%DOWNSTREAM_DIRECT_LOCAL_ADDRESS%", "[fd00::1]:8443"},
      {"%DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT%", "fd00::1"},
      {"%DOWNSTREAM_DIRECT_LOCAL_PORT%", "8443"},
      {"%DOWNSTREAM_LOCAL_ADDRESS%", "[2001:db8::1]:443"},
      {"%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_LOCAL_PORT%", "2001:db8::1 443"},
      {"%ROUTE_NAME% %VIRTUAL_HOST_NAME% %STREAM_ID%", "r v id-1"},
      {"100%% \"literal\"", "100% \"literal\""},
  };
  for (const auto& [format, line] : cases) EXPECT_EQ(text(format), line) << format;
}

TEST_F(LogFormatTest, EscapesWhatCouldForgeALine) {
  EXPECT_EQ(text("%REQ(USER-AGENT)%"), "say \\\"hi\\\"\\\\");
  EXPECT_EQ(text("%REQ(X-RAW)%"), "caf\\xc3\\xa9");
  request_.target = "/0123456789abcdef0123\"56789";
  EXPECT_EQ(text("%REQ(:PATH)%"), "/0123456789abcdef0123\\\"56789");
}

TEST_F(LogFormatTest, NamesTheFailure) {
  info_.failure = Failure::UpstreamConnectFailure;
  EXPECT_EQ(text("%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%"), "UF upstream_connect_failure");
  info_.details = "more_exactly";
  EXPECT_EQ(text("%RESPONSE_CODE_DETAILS%"), "more_exactly");
}

TEST_F(LogFormatTest, WritesJson) {
  AccessLogSpec spec;
  spec.format = AccessLogSpec::Format::Json;
  spec.json_fields = {{"path", "%REQ(:PATH)%"},
                      {"code", "%RESPONSE_CODE%"},
                      {"agent", "%REQ(USER-AGENT)%"},
                      {"none", "%REQ(NOTHING)%"},
                      {"both", "%PROTOCOL%-%RESPONSE_CODE%"}};
  EXPECT_EQ(render(spec),
            "{\"path\":\"/a?b=c\",\"code\":200,\"agent\":\"say \\\"hi\\\"\\\\\",\"none\":null,"
            "\"both\":\"HTTP/1.1-200\"}\n");
}

TEST_F(LogFormatTest, HasEnvoysDefault) {
  const std::string line = text("");
  EXPECT_EQ(line.substr(0, line.find(" - ")),
            "[2023-11-14T22:13:20.123Z] \"GET /a?b=c HTTP/1.1\" 200");
  EXPECT_EQ(line.back(), '\n');
}

TEST_F(LogFormatTest, CutsWhatDoesNotFit) {
  AccessLogSpec spec;
  spec.text_format = "%REQ(:PATH)% and more";
  char line[8];
  LineBuffer out(line, sizeof(line));
  LogFormat::compile(spec)->render({request_, response_, info_, {}}, out);
  EXPECT_EQ(std::string(line, out.size()), "/a?b=c a");
}

TEST(LogFormatErrorTest, SaysWhereAndWhy) {
  const std::pair<std::string, std::string> cases[] = {
      {"a %NONSENSE% b", "\"%NONSENSE\" at byte 2: unknown operator; known are START_TIME"},
      {"%REQ%", "needs a header name in parentheses"},
      {"%REQ(:PATH", "no closing \"%\""},
      {"%REQ(:PATH):x%", "a length of at least 1"},
      {"100%", "no closing \"%\""},
  };
  for (const auto& [format, error] : cases) {
    AccessLogSpec spec;
    spec.text_format = format;
    const auto compiled = LogFormat::compile(spec);
    EXPECT_NE(compiled.status().message().find(error), std::string::npos)
        << format << ": " << compiled.status();
  }
}

TEST_F(LogFormatTest, StatusOfGrpc) {
  const std::string format =
      "%GRPC_STATUS% %GRPC_STATUS(SNAKE_STRING)% %GRPC_STATUS(NUMBER)% "
      "%GRPC_STATUS_NUMBER%";
  info_.grpc_status = 4;
  EXPECT_EQ(text(format), "- - - -") << "the request is not gRPC";
  request_.headers.add("content-type", "application/grpc");
  EXPECT_EQ(text(format), "DeadlineExceeded DEADLINE_EXCEEDED 4 4");
  info_.grpc_status = 99;
  EXPECT_EQ(text(format), "99 99 99 99");
  info_.grpc_status = -1;
  info_.status = 503;
  EXPECT_EQ(text(format), "Unavailable UNAVAILABLE 14 14") << "what the status of HTTP means";
  info_.status = 0;
  EXPECT_EQ(text(format), "- - - -");
}

}  // namespace
}  // namespace convoy::http
