// Bodies of HTTP/1.1 through the whole proxy, in both directions. Long ones pass from socket to
// socket without being read (docs/design/data-path.md, "Bodies that nobody looks at"), and nobody
// can tell but by the counters.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "test/common/proxy_harness.h"
#include "test/common/simulated_clock.h"

namespace convoy::test {
namespace {

constexpr size_t kMiB = 1024 * 1024;
constexpr size_t kLong = 10 * kMiB;

// No two places of it look the same.
std::string lot(size_t bytes) {
  std::string text;
  text.reserve(bytes + 20);
  for (size_t i = 0; text.size() < bytes; ++i) text += std::to_string(i) + ' ';
  text.resize(bytes);
  return text;
}

// Until the far side takes no more. Returns how many bytes it took.
size_t sendWhatGoes(const RawSocket& socket, std::string_view bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t sent = ::send(socket.fd(), bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) break;
    at += static_cast<size_t>(sent);
  }
  return at;
}

// One end of a connection, and what it has read beyond the message that was asked for.
struct Peer {
  RawSocket socket;
  std::string buffer;

  // False: the connection ended before.
  bool fill() {
    const std::string more = socket.receive();
    buffer += more;
    return !more.empty();
  }
  // A head, and as much of its body as Content-Length says, but no more than `most`; cut short if
  // the connection ends.
  HttpReply receive(size_t most = SIZE_MAX) {
    while (!absl::StrContains(buffer, "\r\n\r\n")) {
      if (!fill()) return {};
    }
    HttpReply message;
    const size_t head = buffer.find("\r\n\r\n") + 4;
    message.head = buffer.substr(0, head);
    size_t length = 0;
    constexpr std::string_view kName = "ontent-Length: ";
    const size_t at = message.head.find(kName);
    if (at != std::string::npos) {
      const size_t begin = at + kName.size();
      const size_t end = message.head.find('\r', begin);
      EXPECT_TRUE(absl::SimpleAtoi(message.head.substr(begin, end - begin), &length));
    }
    buffer.erase(0, head);
    length = std::min(length, most);
    while (buffer.size() < length) {
      if (!fill()) break;
    }
    message.body = buffer.substr(0, length);
    buffer.erase(0, length);
    return message;
  }
};

std::string responseOf(size_t length) {
  return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", length, "\r\n\r\n");
}
std::string requestOf(size_t length) {
  return absl::StrCat("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ", length, "\r\n\r\n");
}
constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

class BodiesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { ::signal(SIGPIPE, SIG_IGN); }  // as the process does

  void start(const std::vector<std::string>& manager = {}, const std::string& filters = "") {
    std::string bootstrap = staticBootstrap(listening_.localAddress(),
                                            "{match: {prefix: /}, route: {cluster: web}}", manager);
    const std::string router = "          - name: envoy.filters.http.router";
    bootstrap.insert(bootstrap.find(router), filters);
    proxy_ = time_.has_value() ? std::make_unique<ProxyHarness>(bootstrap, *time_)
                               : std::make_unique<ProxyHarness>(bootstrap);
    client_.socket = RawSocket::connectedTo(proxy_->address());
  }
  // The upstream's end of the connection on which the client's request has arrived.
  void serve(std::string_view request) {
    client_.socket.send(request);
    upstream_.socket = listening_.accept();
    EXPECT_NE(upstream_.receive().head, "");
  }
  // An upstream's work, on a thread of its own.
  std::future<size_t> meanwhile(std::function<size_t()> work) {
    return std::async(std::launch::async, std::move(work));
  }
  uint64_t stat(const std::string& name) { return proxy_->metric(name); }
  [[nodiscard]] bool becomes(const std::string& name, uint64_t at_least) {
    return proxy_->becomes(name, at_least);
  }
  uint64_t downSpliced() { return stat("cluster.web.upstream_cx_rx_spliced_bytes_total"); }
  uint64_t upSpliced() { return stat("http.public.downstream_cx_rx_spliced_bytes_total"); }

  std::optional<SimulatedClock> time_;  // unset: the system's
  RawSocket listening_ = RawSocket::listening();
  std::unique_ptr<ProxyHarness> proxy_;
  Peer client_;
  Peer upstream_;
};

TEST_F(BodiesTest, EverySizeArrivesInBothDirectionsOnTheSameTwoConnections) {
  start();
  const size_t sizes[] = {0, 1, 64 * 1024, 300 * 1024, kLong, 5, kLong + 1, 0};
  auto serving = meanwhile([&] {
    upstream_.socket = listening_.accept();
    size_t right = 0;
    for (const size_t size : sizes) {
      right += upstream_.receive().body == lot(size) ? 1 : 0;
      upstream_.socket.send(responseOf(size) + lot(size));
    }
    return right;
  });
  for (const size_t size : sizes) {
    client_.socket.send(requestOf(size) + lot(size));
    EXPECT_TRUE(client_.receive().body == lot(size)) << size;
  }
  EXPECT_EQ(serving.get(), std::size(sizes));
  EXPECT_GT(downSpliced(), kMiB);
  EXPECT_GT(upSpliced(), kMiB);
  EXPECT_GT(stat("cluster.web.upstream_cx_rx_bytes_total"), 2 * kLong);
  EXPECT_GT(stat("http.public.downstream_cx_rx_bytes_total"), 2 * kLong);
  EXPECT_EQ(stat("cluster.web.upstream_cx_total"), 1U);
  EXPECT_EQ(stat("cluster.web.upstream_cx_splice_overflow"), 0U);
}

TEST_F(BodiesTest, PipelinedRequestsKeepTheirOrder) {
  start();
  auto serving = meanwhile([&] {
    upstream_.socket = listening_.accept();
    size_t bytes = 0;
    for (size_t i = 0; i < 4; ++i) {
      bytes += upstream_.receive().body.size();
      upstream_.socket.send(responseOf(kMiB + i) + lot(kMiB + i));
    }
    return bytes;
  });
  const std::string requests =
      absl::StrCat(requestOf(kMiB), lot(kMiB), kGet, requestOf(kMiB), lot(kMiB), kGet);
  auto sending = meanwhile([&] { return sendWhatGoes(client_.socket, requests); });
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(client_.receive().body == lot(kMiB + i)) << i;
  EXPECT_EQ(sending.get(), requests.size());
  EXPECT_EQ(serving.get(), 2 * kMiB);
}

TEST_F(BodiesTest, ASlowReaderStopsTheUpstreamAndGetsAllOfIt) {
  start();
  constexpr size_t kHuge = 32 * kMiB;
  serve(kGet);
  auto sending =
      meanwhile([&] { return sendWhatGoes(upstream_.socket, responseOf(kHuge) + lot(kHuge)); });
  ASSERT_TRUE(becomes("cluster.web.upstream_flow_control_paused_reading_total", 1));
  EXPECT_LT(stat("cluster.web.upstream_cx_rx_bytes_total"), kHuge);
  EXPECT_TRUE(client_.receive().body == lot(kHuge));
  EXPECT_EQ(sending.get(), kHuge + responseOf(kHuge).size());
  EXPECT_GT(downSpliced(), kMiB);
  ASSERT_TRUE(becomes("cluster.web.upstream_flow_control_resumed_reading_total",
                      stat("cluster.web.upstream_flow_control_paused_reading_total")));
}

TEST_F(BodiesTest, ASlowUpstreamStopsTheClientAndGetsAllOfIt) {
  start();
  constexpr size_t kHuge = 32 * kMiB;
  auto sending =
      meanwhile([&] { return sendWhatGoes(client_.socket, requestOf(kHuge) + lot(kHuge)); });
  upstream_.socket = listening_.accept();
  ASSERT_TRUE(becomes("http.public.downstream_flow_control_paused_reading_total", 1));
  EXPECT_TRUE(upstream_.receive().body == lot(kHuge));
  EXPECT_EQ(sending.get(), kHuge + requestOf(kHuge).size());
  EXPECT_GT(upSpliced(), kMiB);
  upstream_.socket.send(responseOf(2) + "ok");
  EXPECT_EQ(client_.receive().body, "ok");
}

// splice(2) stands still at an urgent byte, which is no part of the body.
TEST_F(BodiesTest, AnUrgentByteStopsNobody) {
  start();
  const std::string body = lot(kLong);
  auto sending = meanwhile([&] {
    size_t sent = sendWhatGoes(client_.socket, requestOf(kLong) + body.substr(0, kMiB));
    EXPECT_EQ(::send(client_.socket.fd(), "!", 1, MSG_OOB | MSG_NOSIGNAL), 1);
    sent += sendWhatGoes(client_.socket, std::string_view(body).substr(kMiB));
    return sent;
  });
  upstream_.socket = listening_.accept();
  EXPECT_TRUE(upstream_.receive().body == body);
  EXPECT_EQ(sending.get(), requestOf(kLong).size() + kLong);
  upstream_.socket.send(responseOf(2) + "ok");
  EXPECT_EQ(client_.receive().body, "ok");
}

TEST_F(BodiesTest, AClientThatGoesAwayTakesTheUpstreamsConnectionWithIt) {
  start();
  serve(kGet);
  auto sending = meanwhile(
      [&] { return sendWhatGoes(upstream_.socket, responseOf(1000 * kMiB) + lot(64 * kMiB)); });
  ASSERT_TRUE(becomes("cluster.web.upstream_flow_control_paused_reading_total", 1));
  client_.socket.reset();
  EXPECT_LT(sending.get(), 64 * kMiB);
  ASSERT_TRUE(becomes("http.public.downstream_rq_rx_reset", 1));
  ASSERT_TRUE(becomes("cluster.web.upstream_cx_destroy", 1));
  client_ = {RawSocket::connectedTo(proxy_->address()), ""};
  serve(kGet);
  upstream_.socket.send(responseOf(2) + "ok");
  EXPECT_EQ(client_.receive().body, "ok");
}

TEST_F(BodiesTest, AnUpstreamThatBreaksOffIsSeenByTheClient) {
  for (const bool resets : {false, true}) {
    start();
    serve(kGet);
    auto sending = meanwhile([&] {
      const size_t sent = sendWhatGoes(upstream_.socket, responseOf(kLong) + lot(3 * kMiB));
      resets ? upstream_.socket.reset() : upstream_.socket.close();
      return sent;
    });
    int error = 0;
    const std::string received = client_.socket.receiveAll(&error);
    EXPECT_EQ(error, ECONNRESET) << resets;
    EXPECT_LE(received.size(), kLong) << resets;
    sending.get();
    EXPECT_EQ(stat("http.public.downstream_rq_failed_upstream_aborted_body"), 1U) << resets;
  }
}

TEST_F(BodiesTest, AClientThatBreaksOffItsRequestIsSeenByTheUpstream) {
  start();
  client_.socket.send(requestOf(kLong));
  upstream_.socket = listening_.accept();
  auto sending = meanwhile([&] {
    const size_t sent = sendWhatGoes(client_.socket, lot(3 * kMiB));
    client_.socket.shutdownSending();
    return sent;
  });
  EXPECT_LT(upstream_.receive().body.size(), kLong);
  EXPECT_EQ(sending.get(), 3 * kMiB);
  ASSERT_TRUE(becomes("http.public.downstream_rq_rx_reset", 1));
  EXPECT_EQ(stat("cluster.web.upstream_rq_tx_reset"), 1U);
}

TEST_F(BodiesTest, AStreamInWhichNothingMovesEndsInTheMiddleOfABody) {
  time_.emplace();
  start({"stream_idle_timeout: 1s"});
  serve(kGet);
  auto sending =
      meanwhile([&] { return sendWhatGoes(upstream_.socket, responseOf(kLong) + lot(kMiB)); });
  EXPECT_EQ(client_.receive(kMiB).body.size(), kMiB);
  sending.get();
  time_->advance(std::chrono::milliseconds(900));
  EXPECT_EQ(stat("http.public.downstream_rq_idle_timeout"), 0U);
  time_->advance(std::chrono::milliseconds(100));
  int error = 0;
  client_.socket.receiveAll(&error);
  EXPECT_EQ(error, ECONNRESET);
  EXPECT_EQ(stat("http.public.downstream_rq_idle_timeout"), 1U);
}

TEST_F(BodiesTest, TheLogCountsBytesThatNobodySaw) {
  const std::string path = absl::StrCat(testing::TempDir(), "/bodies_test.log");
  start({absl::StrCat(
      "access_log: [{name: envoy.access_loggers.file, typed_config: {'@type': "
      "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, path: ",
      path,
      ", log_format: {text_format_source: {inline_string: "
      "\"%BYTES_RECEIVED% %BYTES_SENT%\\n\"}}}}]")});
  auto sending =
      meanwhile([&] { return sendWhatGoes(client_.socket, requestOf(kLong) + lot(kLong)); });
  upstream_.socket = listening_.accept();
  EXPECT_EQ(upstream_.receive().body.size(), kLong);
  auto answering =
      meanwhile([&] { return sendWhatGoes(upstream_.socket, responseOf(kMiB) + lot(kMiB)); });
  EXPECT_EQ(client_.receive().body.size(), kMiB);
  proxy_->drain();
  std::string line;
  FILE* const file = std::fopen(path.c_str(), "r");
  ASSERT_NE(file, nullptr);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) line += static_cast<char>(c);
  std::fclose(file);
  std::remove(path.c_str());
  EXPECT_EQ(line, absl::StrCat(kLong, " ", kMiB, "\n"));
}

TEST_F(BodiesTest, WithoutPipesBodiesAreCopied) {
  start();
  serve(kGet);
  // No descriptor is left: neither below those that are open, nor above them.
  rlimit before;
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  std::vector<RawSocket> taken;
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(upstream_.socket.fd()) + 20;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  for (int fd = ::dup(0); fd >= 0; fd = ::dup(0)) taken.emplace_back(fd);
  auto sending =
      meanwhile([&] { return sendWhatGoes(upstream_.socket, responseOf(kLong) + lot(kLong)); });
  EXPECT_TRUE(client_.receive().body == lot(kLong));
  auto uploading =
      meanwhile([&] { return sendWhatGoes(client_.socket, requestOf(kLong) + lot(kLong)); });
  EXPECT_TRUE(upstream_.receive().body == lot(kLong));
  taken.clear();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(downSpliced(), 0U);
  EXPECT_GT(stat("cluster.web.upstream_cx_splice_overflow"), 0U);
  EXPECT_EQ(upSpliced(), 0U);
  EXPECT_GT(stat("http.public.downstream_cx_splice_overflow"), 0U);
}

TEST_F(BodiesTest, AFilterOfHeadersIsNoHindrance) {
  start({}, R"(
          - name: envoy.filters.http.header_mutation
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
              mutations:
                response_mutations: [{append: {header: {key: x-seen, value: "1"}}}]
)");
  serve(kGet);
  auto sending =
      meanwhile([&] { return sendWhatGoes(upstream_.socket, responseOf(kLong) + lot(kLong)); });
  const HttpReply reply = client_.receive();
  EXPECT_TRUE(absl::StrContains(reply.head, "x-seen: 1\r\n")) << reply.head;
  EXPECT_TRUE(reply.body == lot(kLong));
  EXPECT_GT(downSpliced(), kMiB);
}

}  // namespace
}  // namespace convoy::test
