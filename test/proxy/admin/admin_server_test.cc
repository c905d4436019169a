#include "proxy/admin/admin_server.h"

#include <memory>
#include <vector>

#include "test/proxy/admin/admin_fixture.h"

namespace convoy::admin {
namespace {

class AdminServerTest : public AdminFixture {
 protected:
  Response ask(std::string_view method, std::string_view path) {
    Request request;
    request.method = method;
    request.path = path;
    return server.answer(request);
  }
};

TEST(AdminRequestTest, FindsParameters) {
  struct Case {
    const char* query;
    const char* name;
    const char* value;  // null: it is not there
  };
  const Case cases[] = {
      {"", "a", nullptr},      {"a", "a", ""},
      {"a=", "a", ""},         {"a=1", "a", "1"},
      {"b=2&a=1", "a", "1"},   {"a=1&a=2", "a", "1"},
      {"aa=1", "a", nullptr},  {"a=1=2", "a", "1=2"},
      {"&&a=1", "a", "1"},     {"a=%41%2b", "a", "A+"},
      {"a=1+2", "a", "1+2"},   {"a=%4", "a", "%4"},
      {"a=%zz%", "a", "%zz%"}, {"a=%26b=1", "b", nullptr},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.query);
    Request request;
    request.query = one.query;
    const auto value = request.parameter(one.name);
    ASSERT_EQ(value.has_value(), one.value != nullptr);
    if (value.has_value()) {
      EXPECT_EQ(*value, one.value);
    }
  }
}

TEST_F(AdminServerTest, TheIndexNamesEveryPage) {
  for (const char* path : {"/", "/help"}) {
    const Response response = ask("GET", path);
    EXPECT_EQ(response.status, 200);
    EXPECT_NE(response.body.find("  /hello: says hello\n"), std::string::npos) << response.body;
    EXPECT_NE(response.body.find("  /change (POST): counts changes\n"), std::string::npos);
  }
}

TEST_F(AdminServerTest, AnUnknownPageSaysWhichThereAre) {
  const Response response = ask("GET", "/hullo");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body.find("no admin page /hullo\n"), 0u) << response.body;
  EXPECT_NE(response.body.find("/hello"), std::string::npos);
}

struct MethodCase {
  const char* method;
  const char* path;
  int status;
  const char* allow;
};

TEST_F(AdminServerTest, PagesThatChangeSomethingTakePostOnlyAndOthersGetOnly) {
  const MethodCase cases[] = {
      {"GET", "/hello", 200, ""},           {"HEAD", "/hello", 200, ""},
      {"POST", "/hello", 405, "GET, HEAD"}, {"DELETE", "/hello", 405, "GET, HEAD"},
      {"POST", "/change", 200, ""},         {"GET", "/change", 405, "POST"},
      {"HEAD", "/change", 405, "POST"},
  };
  for (const MethodCase& one : cases) {
    SCOPED_TRACE(std::string(one.method) + " " + one.path);
    const Response response = ask(one.method, one.path);
    EXPECT_EQ(response.status, one.status);
    EXPECT_EQ(response.allow, one.allow);
  }
  EXPECT_EQ(changes, 1);
}

TEST_F(AdminServerTest, AnAddressThatCannotBeHadIsNamed) {
  AdminServer other(test_loop.loop());
  EXPECT_EQ(other.address(), nullptr);
  const absl::Status status = other.listen(*server.address());
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.message().find("admin: "), 0u) << status;
  EXPECT_NE(status.message().find(server.address()->text()), absl::string_view::npos) << status;
}

TEST_F(AdminServerTest, ClosesConnectionsBeyondItsLimit) {
  std::vector<std::unique_ptr<Client>> clients;
  for (size_t i = 0; i < AdminServer::kMaxConnections; ++i) {
    clients.push_back(std::make_unique<Client>(*this));
    clients.back()->send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_TRUE(clients.back()->untilReceived("hello you\n"));
  }
  Client one_more(*this);
  ASSERT_TRUE(one_more.untilEnded());
  EXPECT_EQ(one_more.received(), "");
  // One leaves: there is room again.
  clients.pop_back();
  test_loop.runReady();
  EXPECT_EQ(exchange("GET /hello HTTP/1.0\r\n\r\n").find("HTTP/1.1 200"), 0u);
}

TEST_F(AdminServerTest, ClosingEndsEveryConnectionAndAcceptsNoMore) {
  Client client(*this);
  client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(client.untilReceived("hello you\n"));
  server.close();
  EXPECT_TRUE(client.untilEnded());
}

TEST_F(AdminServerTest, DestroyingItWithOpenConnectionsIsAllowed) {
  auto other = std::make_unique<AdminServer>(test_loop.loop());
  ASSERT_TRUE(other->listen(*net::Address::parse("127.0.0.1:0")).ok());
  const test::RawSocket client = test::RawSocket::connectedTo(*other->address());
  test_loop.runReady();
  other.reset();
  test_loop.runReady();
  int error = 0;
  EXPECT_EQ(client.receiveAll(&error), "");
}

}  // namespace
}  // namespace convoy::admin
