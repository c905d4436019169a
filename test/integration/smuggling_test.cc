// Request smuggling and response splitting, through the whole proxy: what the far side received,
// for every row of the tables and every protocol of the two sides. Never two requests where the
// client sent one; what is forwarded is well-formed to a reader that forgives nothing (wire.h).

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "proxy/http/server_codec_choice.h"
#include "test/common/proxy_harness.h"
#include "test/integration/recording_upstream.h"
#include "test/integration/smuggling_cases.h"

namespace convoy::test {
namespace {

// Behind each row on the same connection: what the client itself sends next.
constexpr char kMarker[] = "GET /marker HTTP/1.1\r\nHost: marker\r\nConnection: close\r\n\r\n";
constexpr char kMarkerReceived[] = "GET /marker marker ";

// The protocol that the upstream speaks.
enum class Speaks { Http1 };

std::string toText(const WireMessage& request) {
  const std::string& start = request.start;
  return absl::StrCat(start.substr(0, start.rfind(' ')), " ", request.field("host"), " ",
                      request.body);
}

class SmugglingTest : public testing::TestWithParam<Speaks> {
 protected:
  SmugglingTest()
      : proxy_(staticBootstrap(upstream_.address(), kRoutes,
                               {"http_protocol_options: {accept_http_10: true}"})) {}

  static constexpr char kRoutes[] = "{match: {prefix: \"\"}, route: {cluster: web}}";

  std::string exchange(const std::string& bytes, bool ends) const {
    const RawSocket client = RawSocket::connectedTo(proxy_.address());
    client.send(bytes);
    if (ends) client.shutdownSending();
    return client.receiveAll();
  }

  // A request of another connection makes sure that the worker is done with those before.
  Received received() {
    EXPECT_EQ(proxy_.get("/sync").status, 200);
    Received all = upstream_.take();
    EXPECT_FALSE(all.requests.empty());
    if (!all.requests.empty()) all.requests.pop_back();
    EXPECT_EQ(all.unfinished, 0) << "a connection to the upstream was left inside a request";
    EXPECT_EQ(all.errors, std::vector<std::string>()) << "the upstream received what is no HTTP";
    return all;
  }

  void check(const HostileRequest& row);
  void check(const HostileResponse& row);

  RecordingUpstream upstream_;
  ProxyHarness proxy_;
};

std::vector<WireMessage> responses(const std::string& bytes, bool* whole, bool to_head = false) {
  WireReader reader(WireReader::Role::Responses);
  if (to_head) reader.expectNoBody();
  reader.feed(bytes);
  reader.end();
  EXPECT_EQ(reader.error(), "") << bytes;
  *whole = !reader.inside();
  return reader.messages();
}

void SmugglingTest::check(const HostileRequest& row) {
  using Outcome = HostileRequest::Outcome;
  SCOPED_TRACE(row.what);
  const std::string answer = exchange(row.ends ? row.bytes : row.bytes + kMarker, row.ends);
  const Received got = received();
  std::vector<std::string> texts;
  for (const WireMessage& request : got.requests) texts.push_back(toText(request));
  if (row.bytes.starts_with(http::kH2Preface)) {
    // What begins as HTTP/2 is answered in HTTP/2: SETTINGS (RFC 9113 3.4), then GOAWAY.
    ASSERT_GT(answer.size(), 9u);
    EXPECT_EQ(answer[3], 4);
    EXPECT_EQ(texts, std::vector<std::string>());
    return;
  }
  const int status = parseReply(answer).status;
  if (row.status >= 400) {
    EXPECT_EQ(status, row.status);
  }
  switch (row.outcome) {
    case Outcome::Refused:
      EXPECT_EQ(texts, std::vector<std::string>());
      EXPECT_EQ(got.broken, 0);
      EXPECT_GE(status, 400);
      return;
    case Outcome::Cut:
      EXPECT_EQ(texts, std::vector<std::string>());
      return;
    case Outcome::Forwarded:
      EXPECT_EQ(texts, (std::vector<std::string>{row.received, kMarkerReceived}));
      break;
    case Outcome::Last:
      EXPECT_EQ(texts, std::vector<std::string>{row.received});
      break;
  }
  if (got.requests.empty() || row.without.empty()) return;
  EXPECT_FALSE(got.requests[0].has(row.without)) << row.without;
}

void SmugglingTest::check(const HostileResponse& row) {
  using Outcome = HostileResponse::Outcome;
  SCOPED_TRACE(row.what);
  upstream_.script(row.bytes, row.closes);
  const std::string request =
      absl::StrCat(row.method, " /scripted HTTP/1.1\r\nHost: a.test\r\n\r\n");
  bool whole = false;
  const std::vector<WireMessage> got =
      responses(exchange(request + kMarker, false), &whole, row.method == "HEAD");
  upstream_.take();
  if (row.outcome == Outcome::Cut) {
    EXPECT_EQ(got.size(), 0u);
    return;
  }
  EXPECT_TRUE(whole);
  std::string text;
  for (const WireMessage& response : got) {
    absl::StrAppend(&text, response.start.substr(9, 3), " ", response.body);
  }
  const bool refused = row.outcome == Outcome::Refused;
  const std::string first =
      refused ? absl::StrCat("502 ", got.empty() ? "" : got[0].body) : row.received;
  std::string expected = absl::StrCat(first, "200 ok");
  EXPECT_EQ(text, expected);
  if (got.size() < 2 || row.without.empty()) return;
  EXPECT_FALSE(got[got.size() - 2].has(row.without)) << row.without;
}

TEST_P(SmugglingTest, RequestsOfHttp1Clients) {
  EXPECT_GE(hostileHttp1Requests().size(), 150u);
  for (const HostileRequest& row : hostileHttp1Requests()) check(row);
}

TEST_P(SmugglingTest, ResponsesOfHttp1Upstreams) {
  if (GetParam() != Speaks::Http1) return;
  EXPECT_GE(hostileHttp1Responses().size(), 50u);
  for (const HostileResponse& row : hostileHttp1Responses()) check(row);
}

INSTANTIATE_TEST_SUITE_P(Upstreams, SmugglingTest, testing::Values(Speaks::Http1),
                         [](const auto&) { return std::string("Http1"); });

}  // namespace
}  // namespace convoy::test
