#include "proxy/server/hello_reader.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "test/common/in_memory_connection.h"
#include "test/common/recording_handler.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::server {
namespace {

using std::chrono::milliseconds;
using End = HelloReader::End;

// A ClientHello for "a.example" (RFC 6066 3), in one record.
const std::string kHello = [] {
  const auto vector = [](const std::string& content, int length_bytes) {
    std::string out;
    for (int i = length_bytes - 1; i >= 0; --i) {
      out += static_cast<char>(content.size() >> (8 * i) & 0xff);
    }
    return out + content;
  };
  const std::string name = vector(std::string(1, '\0') + vector("a.example", 2), 2);
  const std::string extensions = vector(std::string("\0\0", 2) + vector(name, 2), 2);
  const std::string body = "\x03\x03" + std::string(32, 'r') + vector("", 1) +
                           vector("\x13\x01", 2) + vector(std::string(1, '\0'), 1) + extensions;
  return "\x16\x03\x01" + vector("\x01" + vector(body, 3), 2);
}();

class HelloReaderTest : public testing::Test, public HelloReader::Owner {
 protected:
  HelloReaderTest() : loop_(clock_), reader_(*this) {
    clock_.attach(loop_.loop());
    auto [client, server] = test::InMemoryConnection::pair(loop_.loop(), peer_, reader_);
    client_ = std::move(client);
    reader_.start(std::move(server), &loop_.loop().deadlineQueue(milliseconds(100)));
  }
  ~HelloReaderTest() override { clock_.detach(loop_.loop()); }
  void onHello(HelloReader& reader, End end) override {
    EXPECT_FALSE(end_.has_value()) << "told twice";
    end_ = end;
    bytes_ = reader.bytes();
    name_ = reader.hello().server_name;
  }
  void send(std::string_view bytes) {
    client_->write(bytes);
    loop_.runReady();
  }

  test::SimulatedClock clock_;
  test::TestLoop loop_;
  test::RecordingHandler peer_;
  HelloReader reader_;
  std::unique_ptr<net::Connection> client_;
  std::optional<End> end_;
  std::string bytes_;
  std::string name_;
};

TEST_F(HelloReaderTest, ReadsAHelloInOnePiece) {
  send(kHello + "more");
  EXPECT_EQ(end_, End::Read);
  EXPECT_EQ(name_, "a.example");
  EXPECT_EQ(bytes_, kHello + "more");
}

TEST_F(HelloReaderTest, PutsPiecesTogether) {
  for (const char byte : kHello) {
    EXPECT_FALSE(end_.has_value());
    send({&byte, 1});
  }
  EXPECT_EQ(end_, End::Read);
  EXPECT_EQ(name_, "a.example");
  EXPECT_EQ(bytes_, kHello);
}

TEST_F(HelloReaderTest, PlainTextIsSeenAtItsFirstByte) {
  send("G");
  EXPECT_EQ(end_, End::Read);
  EXPECT_EQ(bytes_, "G");
}

TEST_F(HelloReaderTest, AHelloThatIsNoneEnds) {
  send(std::string("\x16\x03\x01\x00\x00", 5));
  EXPECT_EQ(end_, End::Invalid);
}

TEST_F(HelloReaderTest, TheTimeEndsWithWhatIsThere) {
  send("\x16\x03");
  clock_.advance(milliseconds(200));
  loop_.runReady();
  EXPECT_EQ(end_, End::TimedOut);
  EXPECT_EQ(bytes_, "\x16\x03");
}

TEST_F(HelloReaderTest, AClientMayLeave) {
  client_->close(net::CloseMode::Now);
  loop_.runReady();
  EXPECT_EQ(end_, End::Gone);
}

TEST_F(HelloReaderTest, IsCancelledOnce) {
  reader_.cancel();
  reader_.cancel();
  send(kHello);
  EXPECT_EQ(end_, End::Gone);
}

}  // namespace
}  // namespace convoy::server
