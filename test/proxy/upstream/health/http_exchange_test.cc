#include "proxy/upstream/health/http_exchange.h"

#include "test/proxy/upstream/health/health_fixture.h"

namespace convoy::upstream {
namespace {

class HttpExchangeTest : public test::HealthTest {
 protected:
  HttpExchangeTest() {
    exchange_.emplace(services_, owner(test::tcpCheck()), target(), UpstreamProtocol::Http1,
                      HttpExchange::Limits{8}, std::vector<std::string_view>{"x-a"},
                      [this](CheckAnswer answer) {
                        ++answers_;
                        answer_ = std::move(answer);
                      });
  }
  ~HttpExchangeTest() override { exchange_.reset(); }
  void ask() {
    {
      const event::Loop::TurnScope turn(loop_.loop());
      exchange_->start(request_);
    }
    run();
  }
  void answer(std::string_view bytes) {
    peer().send(bytes);
    run();
  }

  const CheckRequest request_{.method = "POST",
                              .target = "/a?b",
                              .authority = "h",
                              .headers = {{"x-b", "1"}},
                              .body = "ab"};
  int answers_ = 0;
  CheckAnswer answer_;
  std::optional<HttpExchange> exchange_;
};

TEST_F(HttpExchangeTest, SendsTheRequestAndKeepsWhatIsOfInterest) {
  EXPECT_EQ(exchange_->missing(), "no connection");
  ask();
  EXPECT_EQ(exchange_->missing(), "no response");
  const std::string request = peer().take();
  EXPECT_TRUE(request.starts_with("POST /a?b HTTP/1.1\r\n")) << request;
  for (const char* part :
       {"\r\nhost: h\r\n", "\r\nx-b: 1\r\n", "\r\ncontent-length: 2\r\n", "\r\n\r\nab"}) {
    std::string lower = request;
    for (char& c : lower) c = static_cast<char>(::tolower(c));
    EXPECT_NE(lower.find(part), std::string::npos) << request;
  }
  answer(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 207 x\r\nX-A: 1\r\nX-C: 2\r\n"
      "Content-Length: 12\r\n\r\n0123456789ab");
  EXPECT_EQ(answers_, 1);
  EXPECT_EQ(answer_.error, "");
  EXPECT_EQ(answer_.status, 207);
  EXPECT_EQ(answer_.body, "01234567");
  EXPECT_EQ(answer_.headers, (std::vector<Header>{{"x-a", "1"}}));
  // On the same connection.
  ask();
  answer("HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(answer_.status, 204);
  EXPECT_EQ(answer_.body, "");
  EXPECT_EQ(io_.connects, 1);
}

TEST_F(HttpExchangeTest, AHostThatClosesGetsAnotherConnection) {
  ask();
  answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  ask();
  EXPECT_EQ(io_.connects, 2);
  // The end of the connection is the end of the body.
  answer("HTTP/1.1 200 OK\r\n\r\nbody");
  EXPECT_EQ(answers_, 1);
  peer().connection->close(net::CloseMode::Now);
  run();
  EXPECT_EQ(answers_, 2);
  EXPECT_EQ(answer_.body, "body");
}

TEST_F(HttpExchangeTest, AKeptConnectionThatEndsInTheMomentOfTheRequestIsReplacedOnce) {
  ask();
  answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  peer().connection->close(net::CloseMode::Reset);
  ask();
  EXPECT_EQ(io_.connects, 2);
  peer().connection->close(net::CloseMode::Now);
  run();
  EXPECT_EQ(answers_, 2);
  EXPECT_EQ(answer_.error, "the host closed the connection without a response");
  EXPECT_EQ(io_.connects, 2);
}

TEST_F(HttpExchangeTest, AnIdleConnectionMayEndOrTalk) {
  ask();
  answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  peer().send("HTTP/1.1 408 Late\r\n\r\n");
  run();
  ask();
  EXPECT_EQ(io_.connects, 2);
  answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  peer().connection->close(net::CloseMode::Now);
  run();
  ask();
  EXPECT_EQ(io_.connects, 3);
  EXPECT_EQ(answers_, 2);
}

TEST_F(HttpExchangeTest, FailuresAreToldOnce) {
  const std::pair<const char*, const char*> cases[] = {
      {"NONSENSE\r\n\r\n", "the response is malformed"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n", "the response is malformed"},
  };
  int answers = 0;
  for (const auto& [bytes, error] : cases) {
    ask();
    answer(bytes);
    EXPECT_EQ(answers_, ++answers);
    EXPECT_TRUE(answer_.error.starts_with(error)) << answer_.error;
  }
  io_.all_down = true;
  ask();
  EXPECT_EQ(answers_, ++answers);
  EXPECT_EQ(answer_.error, "connection failed: Connection refused");
}

TEST_F(HttpExchangeTest, AnEndlessBodyIsNotReadToItsEnd) {
  ask();
  peer().send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  for (int i = 0; i < 20 && answers_ == 0; ++i) {
    peer().send(chunk);
    run();
  }
  EXPECT_EQ(answers_, 1);
  EXPECT_EQ(answer_.status, 200);
  EXPECT_EQ(answer_.body, "xxxxxxxx");
  ask();
  EXPECT_EQ(io_.connects, 2);
}

TEST_F(HttpExchangeTest, MayBeDestroyedInTheMiddle) {
  ask();
  peer().send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab");
  run();
  exchange_.reset();
  run();
  EXPECT_EQ(answers_, 0);
}

}  // namespace
}  // namespace convoy::upstream
