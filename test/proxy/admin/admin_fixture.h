#pragma once

// An AdminServer on a loop that the test drives, on simulated time, with a few pages; and clients
// on real sockets.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "proxy/admin/admin_server.h"
#include "test/common/raw_socket.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::admin {

class AdminFixture : public testing::Test {
 protected:
  static constexpr size_t kLargePage = 8 * 1024 * 1024;

  AdminFixture() {
    clock.attach(test_loop.loop());
    server.add({"/hello", "says hello", false, [this](const Request& request) {
                  ++answered;
                  return Response{200, kPlainText,
                                  "hello " + request.parameter("name").value_or("you") + "\n"};
                }});
    server.add({"/large", "a page that no socket buffer holds", false, [this](const Request&) {
                  ++answered;
                  return Response{200, kPlainText, std::string(kLargePage, 'x')};
                }});
    server.add({"/empty", "nothing", false, [](const Request&) {
                  return Response{200, kPlainText, ""};
                }});
    server.add({"/change", "counts changes", true, [this](const Request&) {
                  ++changes;
                  return Response{200, kPlainText, "OK\n"};
                }});
    const absl::Status listening = server.listen(*net::Address::parse("127.0.0.1:0"));
    EXPECT_TRUE(listening.ok()) << listening;
  }
  ~AdminFixture() override {
    server.close();
    test_loop.runReady();
    clock.detach(test_loop.loop());
  }

  class Client {
   public:
    Client(AdminFixture& fixture)  // NOLINT(google-explicit-constructor): reads better in tests
        : fixture_(fixture), socket_(test::RawSocket::connectedTo(*fixture.server.address())) {}

    void send(std::string_view bytes) const { socket_.send(bytes); }
    test::RawSocket& socket() { return socket_; }
    const std::string& received() const { return received_; }
    bool ended() const { return ended_; }
    // What is there now, without waiting.
    void poll() {
      char buffer[64 * 1024];
      while (!ended_) {
        const ssize_t got = ::recv(socket_.fd(), buffer, sizeof(buffer), MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
        if (got <= 0) {
          ended_ = true;
          return;
        }
        received_.append(buffer, static_cast<size_t>(got));
      }
    }
    [[nodiscard]] bool untilReceived(std::string_view text) {
      return fixture_.until([this, text] {
        poll();
        return received_.find(text) != std::string::npos;
      });
    }
    [[nodiscard]] bool untilEnded() {
      return fixture_.until([this] {
        poll();
        return ended_;
      });
    }

   private:
    AdminFixture& fixture_;
    test::RawSocket socket_;
    std::string received_;
    bool ended_ = false;
  };

  [[nodiscard]] bool until(const std::function<bool()>& condition) {
    return test_loop.runUntil([&] {
      test_loop.loop().post([] {});  // another look, whatever happens on the sockets
      return condition();
    });
  }

  // All that the server says to these bytes; the client ends its side if the server does not.
  std::string exchange(std::string_view bytes) {
    Client client(*this);
    client.send(bytes);
    client.socket().shutdownSending();
    EXPECT_TRUE(client.untilEnded());
    return client.received();
  }

  test::SimulatedClock clock;
  test::TestLoop test_loop{clock};
  int answered = 0;
  int changes = 0;
  AdminServer server{test_loop.loop()};
};

}  // namespace convoy::admin
