// Body bytes that pass both codecs of HTTP/1.1 unseen, and large pieces that are sent at once.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "test/common/recording_handler.h"
#include "test/common/simulated_clock.h"
#include "test/common/stream_medium.h"
#include "test/common/test_loop.h"
#include "test/proxy/http/h1_recorder.h"

namespace convoy::http {
namespace {

using Kind = net::SpliceResult::Kind;

constexpr size_t kLong = 1'000'000;
constexpr size_t kPiece = H1BodyWriter::kLargePiece;

std::string piece() {
  return std::string(kPiece, 'x');
}

class H1SpliceTest : public testing::Test {
 protected:
  // Codecs hand it on and do not touch it.
  net::Connection& source() { return *pair_.first; }
  // Moves these many bytes, one amount a time, and writes down how many were left before.
  auto moving(std::vector<uint64_t> amounts) {
    return [this, amounts = std::move(amounts), next = size_t{0}](uint64_t most) mutable {
      asked_.push_back(most);
      return net::SpliceResult{.kind = Kind::Moved, .bytes = amounts.at(next++)};
    };
  }

  test::SimulatedClock clock_;
  test::TestLoop loop_{clock_};
  test::RecordingHandler on_a_, on_b_;
  test::ConnectionPair pair_ =
      test::connectedPair(test::Medium::Memory, loop_.loop(), on_a_, on_b_);
  std::vector<uint64_t> asked_;
};

std::string responseOf(size_t bytes) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n";
}
std::string requestOf(size_t bytes) {
  return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n";
}
ResponseHead okOf(uint64_t bytes) {
  ResponseHead head;
  head.status = 200;
  head.body = {BodyLength::Kind::Known, bytes};
  return head;
}

TEST_F(H1SpliceTest, AResponseEndsWithItsLastBytesHoweverTheyPassed) {
  ClientRecorder client;
  client.request("GET");
  client.codec.dispatch(responseOf(kLong) + piece());
  client.events.take();
  EXPECT_EQ(client.direct.bodies_expected, 1);
  client.direct.splice = moving({500'000, kLong - kPiece - 500'000 - 2});
  EXPECT_EQ(client.codec.spliceBody(source()).bytes, 500'000U);
  EXPECT_EQ(client.codec.spliceBody(source()).kind, Kind::Moved);
  EXPECT_EQ(client.events.take(), "");
  client.codec.dispatch("yz");
  EXPECT_EQ(client.events.take(), "body yz\nend\ncomplete\n");
  EXPECT_EQ(asked_, std::vector<uint64_t>({kLong - kPiece, kLong - kPiece - 500'000}));
  EXPECT_TRUE(client.codec.idle() && !client.codec.mustClose());
}

TEST_F(H1SpliceTest, AResponseWhoseLastBytesPassUnseen) {
  ClientRecorder client;
  client.request("GET");
  client.codec.dispatch(responseOf(kLong) + piece());
  client.events.take();
  client.direct.splice = moving({kLong - kPiece});
  EXPECT_EQ(client.codec.spliceBody(source()).kind, Kind::Moved);
  EXPECT_EQ(client.events.take(), "end\ncomplete\n");
  EXPECT_EQ(client.codec.spliceBody(source()).kind, Kind::Copy);
  EXPECT_TRUE(client.codec.idle() && !client.codec.mustClose());
}

TEST_F(H1SpliceTest, ARequestWhoseLastBytesPassUnseen) {
  ServerRecorder server;
  server.feed(requestOf(kLong) + piece());
  EXPECT_EQ(server.direct.bodies_expected, 1);
  server.events.take();
  server.direct.splice = moving({4, kLong - kPiece - 4});
  EXPECT_EQ(server.codec.spliceBody(source()).kind, Kind::Moved);
  EXPECT_EQ(server.events.take(), "");
  server.on_request_end = [](ResponseSender& sender) { sender.sendHead(okOf(0), true); };
  EXPECT_EQ(server.codec.spliceBody(source()).kind, Kind::Moved);
  EXPECT_EQ(server.events.take(), "end\ncomplete\n");
  EXPECT_TRUE(server.codec.idle() && !server.codec.mustClose());
}

TEST_F(H1SpliceTest, ABodyThatIsCutShortIsNoBody) {
  ClientRecorder client;
  client.request("GET");
  client.codec.dispatch(responseOf(kLong) + piece());
  client.events.take();
  client.direct.splice = moving({kLong - kPiece - 1});
  EXPECT_EQ(client.codec.spliceBody(source()).kind, Kind::Moved);
  client.codec.onEndOfStream();
  EXPECT_EQ(client.events.take(), "reset upstream_aborted_body\n");
}

TEST_F(H1SpliceTest, WhatHasNoLengthIsNotSpliced) {
  for (const std::string_view head :
       {"HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n"}) {
    ClientRecorder client;
    client.request("GET");
    client.codec.dispatch(std::string(head) + piece());
    client.direct.splice = moving({});
    EXPECT_EQ(client.codec.spliceBody(source()).kind, Kind::Copy) << head;
    EXPECT_EQ(client.direct.bodies_expected, 0) << head;
  }
}

TEST_F(H1SpliceTest, LittleIsNotWorthIt) {
  ClientRecorder client;
  client.request("GET");
  client.codec.dispatch(responseOf(kPiece + H1BodyReader::kMuch - 1) + piece());
  EXPECT_EQ(client.direct.bodies_expected, 0);
  ClientRecorder other;
  other.request("GET");
  other.codec.dispatch(responseOf(kLong) + piece().substr(1));
  EXPECT_EQ(other.direct.bodies_expected, 0);
}

TEST_F(H1SpliceTest, SendsExactlyWhatWasAnnounced) {
  ServerRecorder server;
  server.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  server.sender->sendHead(okOf(10), false);
  server.sender->sendBody("abc", false);
  server.direct.splice = moving({6});
  // Another length than the sender's: bytes would be added or lost on the way.
  EXPECT_EQ(server.sender->sendBodyOf(source(), 8).kind, Kind::Copy);
  EXPECT_EQ(server.sender->sendBodyOf(source(), 7).bytes, 6U);
  server.events.take();
  server.sender->sendBody("z", true);
  EXPECT_TRUE(server.written().ends_with("\r\n\r\nabcz"));
  EXPECT_EQ(server.events.take(), "complete\n");
  EXPECT_FALSE(server.codec.mustClose());
}

TEST_F(H1SpliceTest, SendsARequestsBodyToo) {
  ClientRecorder client;
  RequestSender& sender = client.request("POST", false, {BodyLength::Kind::Known, 10});
  client.direct.splice = moving({10});
  EXPECT_EQ(sender.sendBodyOf(source(), 10).bytes, 10U);
  sender.sendBody({}, true);
  client.codec.dispatch(responseOf(0));
  EXPECT_TRUE(client.codec.idle() && !client.codec.mustClose());
}

TEST_F(H1SpliceTest, ChunksAreNotSpliced) {
  ServerRecorder server;
  server.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ResponseHead head = okOf(0);
  head.body = {BodyLength::Kind::Unknown, 0};
  server.sender->sendHead(head, false);
  server.direct.splice = moving({});
  EXPECT_EQ(server.sender->sendBodyOf(source(), 7).kind, Kind::Copy);
}

TEST_F(H1SpliceTest, LargePiecesAreSentAtOnceAsFarAsTheyGo) {
  const std::string whole = piece();
  ServerRecorder server;
  server.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  server.sender->sendHead(okOf(whole.size() + 1), false);
  server.written();
  server.direct.takes = whole.size() - 1;
  server.sender->sendBody(whole, false);
  EXPECT_EQ(server.direct.sent.size(), whole.size() - 1);
  server.sender->sendBody("y", true);
  EXPECT_EQ(server.written(), "xy");
  EXPECT_FALSE(server.codec.mustClose());
  ClientRecorder client;
  client.direct.takes = whole.size();
  client.request("POST", false, {BodyLength::Kind::Known, whole.size()});
  client.written();
  client.sender->sendBody(whole, true);
  EXPECT_EQ(client.direct.sent, whole);
  EXPECT_EQ(client.written(), "");
}

TEST_F(H1SpliceTest, NeitherSmallPiecesNorChunksNorTooManyBytesAreSentAtOnce) {
  const std::string whole = piece();
  struct Case {
    BodyLength body;
    size_t bytes;
  };
  for (const Case& c : {Case{{BodyLength::Kind::Known, 100'000}, whole.size() - 1},
                        Case{{BodyLength::Kind::Unknown, 0}, whole.size()},
                        Case{{BodyLength::Kind::Known, whole.size() - 1}, whole.size()}}) {
    ServerRecorder server;
    server.direct.takes = SIZE_MAX;
    server.feed("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    ResponseHead head = okOf(0);
    head.body = c.body;
    server.sender->sendHead(head, false);
    server.sender->sendBody(std::string_view(whole).substr(0, c.bytes), false);
    EXPECT_EQ(server.direct.sent, "") << describe(c.body);
  }
}

}  // namespace
}  // namespace convoy::http
