#include "proxy/admin/admin_connection.h"

#include "test/proxy/admin/admin_fixture.h"

namespace convoy::admin {
namespace {

using AdminConnectionTest = AdminFixture;

size_t count(const std::string& text, std::string_view what) {
  size_t found = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST_F(AdminConnectionTest, AnswersWithHeadersThatKeepBrowsersFromGuessing) {
  const std::string reply = exchange("GET /hello?name=Ann HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(reply.find("HTTP/1.1 200 OK\r\n"), 0u) << reply;
  EXPECT_NE(reply.find("content-type: text/plain; charset=UTF-8\r\n"), std::string::npos);
  EXPECT_NE(reply.find("cache-control: no-cache, max-age=0\r\n"), std::string::npos);
  EXPECT_NE(reply.find("x-content-type-options: nosniff\r\n"), std::string::npos);
  EXPECT_NE(reply.find("\r\n\r\nhello Ann\n"), std::string::npos) << reply;
}

struct Exchange {
  const char* what;
  const char* request;
  const char* status_line;
  const char* contains;
};

TEST_F(AdminConnectionTest, AnswersEveryRequestOnce) {
  const Exchange cases[] = {
      {"405 with the methods that may be used", "GET /change HTTP/1.1\r\nHost: a\r\n\r\n",
       "HTTP/1.1 405 ", "allow: POST\r\n"},
      {"a changing page", "POST /change HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
       "HTTP/1.1 200 ", "\r\n\r\nOK\n"},
      {"a changing page, asked for by a page of somebody else's",
       "POST /change HTTP/1.1\r\nHost: evil.test\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 403 ",
       "Host: evil.test: "},
      {"the same, through a form of theirs",
       "POST /change HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.test\r\n"
       "Content-Length: 0\r\n\r\n",
       "HTTP/1.1 403 ", "Origin: https://evil.test: "},
      {"an origin of its own before theirs",
       "POST /change HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n"
       "Origin: https://evil.test\r\nContent-Length: 0\r\n\r\n",
       "HTTP/1.1 403 ", "Origin: http://127.0.0.1, https://evil.test: "},
      {"its own page",
       "POST /change HTTP/1.0\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n\r\n",
       "HTTP/1.1 200 ", "\r\n\r\nOK\n"},
      {"a body, which is dropped",
       "POST /change HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
       "HTTP/1.1 200 ", "\r\n\r\nOK\n"},
      {"a chunked body with trailers",
       "POST /change HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
       "1\r\nx\r\n0\r\nt: 1\r\n\r\n",
       "HTTP/1.1 200 ", "\r\n\r\nOK\n"},
      {"unknown page", "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404 ",
       "no admin page /nothing"},
      {"a page with nothing to say", "GET /empty HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 ",
       "content-length: 0\r\n"},
      {"HTTP/1.0 is closed after its answer", "GET /hello HTTP/1.0\r\n\r\n", "HTTP/1.1 200 ",
       "hello you\n"},
      {"garbage", "\x01\x02\x03\r\n\r\n", "HTTP/1.1 400 ", "connection: close\r\n"},
      {"no host", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", "connection: close\r\n"},
      {"two lengths",
       "POST /change HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: "
       "2\r\n\r\nx",
       "HTTP/1.1 400 ", "connection: close\r\n"},
      {"a broken chunk",
       "POST /change HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
       "HTTP/1.1 400 ", "connection: close\r\n"},
  };
  for (const Exchange& one : cases) {
    SCOPED_TRACE(one.what);
    std::string reply = exchange(one.request);
    EXPECT_EQ(reply.find(one.status_line), 0u) << reply;
    EXPECT_EQ(count(reply, "HTTP/1.1 "), 1u) << reply;
    std::string lower = reply;
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    EXPECT_TRUE(reply.find(one.contains) != std::string::npos ||
                lower.find(one.contains) != std::string::npos)
        << reply;
  }
}

TEST_F(AdminConnectionTest, HeadHasNoBody) {
  const std::string reply = exchange("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(reply.find("HTTP/1.1 200 "), 0u);
  EXPECT_EQ(reply.find("hello you"), std::string::npos);
  EXPECT_EQ(reply.substr(reply.size() - 4), "\r\n\r\n");
}

TEST_F(AdminConnectionTest, AnErrorAfterHeadHasItsText) {
  const std::string reply = exchange("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\nbad\r\n\r\n");
  EXPECT_NE(reply.find("HTTP/1.1 400 "), std::string::npos) << reply;
  EXPECT_NE(reply.substr(reply.size() - 4), "\r\n\r\n");
}

TEST_F(AdminConnectionTest, RefusesAHeadThatIsTooLarge) {
  Client client(*this);
  client.send("GET /hello HTTP/1.1\r\nHost: a\r\nX-Long: " + std::string(70'000, 'x'));
  ASSERT_TRUE(client.untilEnded());
  EXPECT_EQ(client.received().find("HTTP/1.1 431 "), 0u) << client.received();
  EXPECT_EQ(answered, 0);
}

TEST_F(AdminConnectionTest, RefusesABodyThatIsTooLarge) {
  Client client(*this);
  client.send("POST /change HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" +
              std::string(AdminServer::kMaxBody + 1, 'x'));
  ASSERT_TRUE(client.untilReceived("HTTP/1.1 413 "));
  client.send(std::string(100'000, 'x'));  // what follows is dropped
  client.socket().shutdownSending();
  ASSERT_TRUE(client.untilEnded());
  EXPECT_EQ(count(client.received(), "HTTP/1.1 "), 1u);
  EXPECT_EQ(changes, 0);
}

TEST_F(AdminConnectionTest, PipelinedRequestsAreAnsweredInOrder) {
  const std::string reply = exchange(
      "GET /hello?name=1 HTTP/1.1\r\nHost: a\r\n\r\n"
      "POST /change HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab"
      "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /hello?name=4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
      "GET /hello?name=5 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(count(reply, "HTTP/1.1 "), 4u) << reply;
  EXPECT_LT(reply.find("hello 1\n"), reply.find("OK\n"));
  EXPECT_LT(reply.find("OK\n"), reply.find("no admin page"));
  EXPECT_LT(reply.find("no admin page"), reply.find("hello 4\n"));
  EXPECT_EQ(reply.find("hello 5\n"), std::string::npos);
}

TEST_F(AdminConnectionTest, ARequestMayComeByteByByte) {
  Client client(*this);
  for (const char c : std::string_view("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")) {
    client.send({&c, 1});
    test_loop.runReady();
  }
  EXPECT_TRUE(client.untilReceived("hello you\n"));
}

TEST_F(AdminConnectionTest, AClientThatReadsNothingGetsOnePageAtATime) {
  Client client(*this);
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
  client.send(requests);
  ASSERT_TRUE(until([&] { return answered == 1; }));
  test_loop.runReady();
  EXPECT_EQ(answered, 1);
  // It reads: the next come.
  ASSERT_TRUE(until([&] {
    client.poll();
    return answered >= 3;
  }));
}

TEST_F(AdminConnectionTest, ARequestThatIsNotCompleteInTimeEndsTheConnection) {
  Client client(*this);
  client.send("GET /hello HTTP/1.1\r\n");
  test_loop.runReady();
  clock.advance(AdminServer::kPatience - std::chrono::seconds(1));
  client.send("X: y\r\n");  // a byte now and then does not help
  test_loop.runReady();
  client.poll();
  EXPECT_FALSE(client.ended());
  clock.advance(std::chrono::seconds(2));
  EXPECT_TRUE(client.untilEnded());
  EXPECT_EQ(client.received(), "");
}

TEST_F(AdminConnectionTest, EachAnswerGivesNewTime) {
  Client client(*this);
  for (int i = 0; i < 3; ++i) {
    clock.advance(AdminServer::kPatience - std::chrono::seconds(1));
    client.send("GET /hello?name=" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(client.untilReceived("hello " + std::to_string(i)));
  }
}

TEST_F(AdminConnectionTest, ASlowReaderIsLeftAloneAndADeadOneIsNot) {
  Client client(*this);
  client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(until([&] { return answered == 1; }));
  test_loop.runReady();
  // Takes some: lives on.
  ASSERT_TRUE(until([&] {
    client.poll();
    return client.received().size() > kLargePage / 2;
  }));
  clock.advance(AdminServer::kPatience + std::chrono::seconds(1));
  test_loop.runReady();
  ASSERT_TRUE(until([&] {
    client.poll();
    return client.received().size() > kLargePage;
  }));
  EXPECT_FALSE(client.ended());
  // Takes nothing: is closed.
  client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(until([&] { return answered == 2; }));
  test_loop.runReady();
  clock.advance(AdminServer::kPatience + std::chrono::seconds(1));
  clock.advance(AdminServer::kPatience + std::chrono::seconds(1));
  EXPECT_TRUE(client.untilEnded());
  EXPECT_LT(client.received().size(), 2 * kLargePage);
}

TEST_F(AdminConnectionTest, AClientThatGoesAwayIsForgotten) {
  for (const char* sent :
       {"", "GET /hel", "GET /large HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /change HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc"}) {
    SCOPED_TRACE(sent);
    Client client(*this);
    client.send(sent);
    test_loop.runReady();
    client.socket().reset();
    test_loop.runReady();
  }
  // Half a request, then the end of the stream: nothing to answer.
  EXPECT_EQ(exchange("GET /hel"), "");
  EXPECT_EQ(exchange(""), "");
  EXPECT_NE(exchange("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"), "");
  EXPECT_EQ(changes, 0);
}

}  // namespace
}  // namespace convoy::admin
