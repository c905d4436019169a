// Request smuggling and response splitting, through the whole proxy: what the far side received,
// for every row of the tables and every protocol of the two sides. Never two requests where the
// client sent one; what is forwarded is well-formed to a reader that forgives nothing (wire.h).

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "proxy/http/server_codec_choice.h"
#include "test/common/proxy_harness.h"
#include "test/integration/recording_upstream.h"
#include "test/integration/smuggling_cases.h"
#include "test/proxy/http/h2_frames.h"

namespace convoy::test {
namespace {

// Behind each row on the same connection: what the client itself sends next.
constexpr char kMarker[] = "GET /marker HTTP/1.1\r\nHost: marker\r\nConnection: close\r\n\r\n";
constexpr char kMarkerReceived[] = "GET /marker marker ";

constexpr uint32_t kMarkerStream = 101;

std::string toText(const WireMessage& request) {
  const std::string& start = request.start;
  return absl::StrCat(start.substr(0, start.rfind(' ')), " ", request.field("host"), " ",
                      request.body);
}

// GetParam(): what the upstream speaks.
class SmugglingTest : public testing::TestWithParam<Speaks> {
 protected:
  SmugglingTest() : upstream_(GetParam()), proxy_(bootstrap(upstream_.address(), GetParam())) {}

  static std::string bootstrap(const net::Address& upstream, Speaks speaks) {
    return staticBootstrap(upstream, kRoutes,
                           {"http_protocol_options: {accept_http_10: true}",
                            "http2_protocol_options: {allow_connect: true}",
                            "upgrade_configs: [{upgrade_type: websocket}]"}) +
           (speaks == Speaks::Http2 ? "    http2_protocol_options: {}\n" : "");
  }

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
    const std::string protocol = GetParam() == Speaks::Http1 ? " HTTP/1.1" : " HTTP/2";
    for (const WireMessage& request : all.requests) EXPECT_TRUE(request.start.ends_with(protocol));
    EXPECT_EQ(all.unfinished, 0) << "a connection to the upstream was left inside a request";
    EXPECT_EQ(all.errors, std::vector<std::string>()) << "the upstream received what is no HTTP";
    return all;
  }

  // `slowly`: the proxy has dealt with each frame before it gets the next one.
  std::string exchange(const HostileH2Request& row, bool slowly) const;

  void check(const HostileRequest& row);
  void check(const HostileH2Request& row, bool slowly);
  void check(const HostileResponse& row);

  RecordingUpstream upstream_;
  ProxyHarness proxy_;
};

// Frames one by one; header blocks, which nothing may interrupt, in one piece.
std::vector<std::string> pieces(const std::string& bytes) {
  constexpr size_t kHeader = 9;
  std::vector<std::string> all;
  bool in_block = false;
  for (size_t at = 0; at < bytes.size();) {
    size_t size = bytes.size() - at;
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[at + i]); };
    bool ends_block = true;
    if (size > kHeader) {
      size = std::min(size, kHeader + (byte(0) << 16 | byte(1) << 8 | byte(2)));
      const bool of_block = byte(3) == NGHTTP2_HEADERS || byte(3) == NGHTTP2_CONTINUATION;
      ends_block = !of_block || (byte(4) & http::h2::kEndHeaders) != 0;
    }
    if (!in_block) all.emplace_back();
    all.back() += bytes.substr(at, size);
    in_block = !ends_block;
    at += size;
  }
  return all;
}

bool ended(const std::string& read) {
  return read.find("GOAWAY ") != std::string::npos;
}

// The line that ends a stream, in what FrameReader has read; empty: none yet.
std::string endOf(const std::string& read, uint32_t id) {
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(read, '\n'))) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ');
    if (words[0] == "GOAWAY") return line;
    if (words.size() < 3 || words[1] != std::to_string(id)) continue;
    const bool end = words[2] == "end" || (words.size() > 3 && words[3] == "end");
    if (words[0] == "RST_STREAM" || end) return line;
  }
  return {};
}

int statusOf(const std::string& read, uint32_t id) {
  int status = 0;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(read, '\n'))) {
    const size_t at = line.find(" :status=");
    if (at == std::string::npos || line.rfind(absl::StrCat("HEADERS ", id, " "), 0) != 0) continue;
    status = std::stoi(line.substr(at + 9, 3));
  }
  return status;
}

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

// What the client reads, a line for each frame: until its own request has been answered, or the
// connection has ended.
std::string SmugglingTest::exchange(const HostileH2Request& row, bool slowly) const {
  namespace h2 = http::h2;
  const RawSocket client = RawSocket::connectedTo(proxy_.address());
  h2::FrameReader reader;
  std::string read;
  const auto until = [&](const std::function<bool()>& holds) {
    while (!holds()) {
      const std::string bytes = client.receive();
      if (bytes.empty()) return;
      read += reader.read(bytes);
    }
  };
  client.send(h2::clientStart());
  size_t pongs = 0;
  for (const std::string& piece : slowly ? pieces(row.bytes) : std::vector{row.bytes}) {
    client.send(slowly ? piece + h2::ping("one more") : piece);
    const size_t wanted = ++pongs;
    const auto seen = [&] {
      return std::vector<std::string>(absl::StrSplit(read, "PONG ")).size() > wanted;
    };
    if (slowly) until([&] { return ended(read) || seen(); });
  }
  if (!row.gives_up) until([&] { return !endOf(read, 1).empty(); });
  client.send(h2::headers(
      kMarkerStream,
      {{":method", "GET"}, {":scheme", "http"}, {":path", "/marker"}, {":authority", "marker"}},
      h2::kEndStream));
  until([&] { return !endOf(read, kMarkerStream).empty(); });
  return read;
}

void SmugglingTest::check(const HostileH2Request& row, bool slowly) {
  using Outcome = HostileH2Request::Outcome;
  SCOPED_TRACE(row.what);
  const std::string answer = exchange(row, slowly);
  SCOPED_TRACE(answer);
  const Received got = received();
  std::vector<std::string> texts;
  const WireMessage* first = nullptr;
  for (const WireMessage& request : got.requests) {
    if (toText(request) != kMarkerReceived) first = &request;
    if (row.outcome != Outcome::Cut || toText(request) != row.received) {
      texts.push_back(toText(request));
    }
  }
  // On two connections they may arrive in either order.
  std::sort(texts.begin(), texts.end());
  std::vector<std::string> expected;
  if (row.outcome == Outcome::Forwarded) expected.push_back(row.received);
  if (row.outcome != Outcome::Ended) expected.push_back(kMarkerReceived);
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(texts, expected);
  if (row.outcome != Outcome::Cut && row.outcome != Outcome::Ended) {
    EXPECT_EQ(got.broken, 0);
  }
  EXPECT_EQ(ended(answer), row.outcome == Outcome::Ended);
  const int status = statusOf(answer, 1);
  if (row.status != 0) {
    EXPECT_EQ(status, row.status);
  } else if (row.outcome == Outcome::Refused) {
    EXPECT_TRUE(status == 0 || status >= 400) << status;
  }
  if (first == nullptr) return;
  for (const std::string& name : {std::string("x-injected"), row.without}) {
    EXPECT_FALSE(first->has(name)) << name;
  }
  for (const auto& [trailer, value] : first->trailers) EXPECT_NE(trailer, row.without_trailer);
}

void SmugglingTest::check(const HostileResponse& row) {
  using Outcome = HostileResponse::Outcome;
  SCOPED_TRACE(row.what);
  const std::string counter = "http.public.downstream_rq_failed_upstream_protocol_error";
  const uint64_t errors = proxy_.metric(counter);
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
  // What only breaks off is no error of the protocol.
  const bool counted = absl::StrContains(text, "502 ") && !row.closes;
  EXPECT_EQ(proxy_.metric(counter) - errors, counted ? 1u : 0u);
  if (got.size() < 2 || row.without.empty()) return;
  EXPECT_FALSE(got[got.size() - 2].has(row.without)) << row.without;
}

TEST_P(SmugglingTest, RequestsOfHttp1Clients) {
  EXPECT_GE(hostileHttp1Requests().size(), 150u);
  for (const HostileRequest& row : hostileHttp1Requests()) check(row);
}

TEST_P(SmugglingTest, RequestsOfHttp2Clients) {
  EXPECT_GE(hostileHttp2Requests().size(), 150u);
  for (const HostileH2Request& row : hostileHttp2Requests()) check(row, /*slowly=*/false);
}

TEST_P(SmugglingTest, RequestsOfHttp2ClientsFrameByFrame) {
  for (const HostileH2Request& row : hostileHttp2Requests()) check(row, /*slowly=*/true);
}

TEST_P(SmugglingTest, ResponsesOfUpstreams) {
  const auto& rows =
      GetParam() == Speaks::Http1 ? hostileHttp1Responses() : hostileHttp2Responses();
  EXPECT_GE(rows.size(), 50u);
  for (const HostileResponse& row : rows) check(row);
}

INSTANTIATE_TEST_SUITE_P(Upstreams, SmugglingTest, testing::Values(Speaks::Http1, Speaks::Http2),
                         [](const auto& tested) {
                           return std::string(tested.param == Speaks::Http1 ? "Http1" : "Http2");
                         });

}  // namespace
}  // namespace convoy::test
