#include "proxy/redis/reply_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace convoy::redis {
namespace {

using Result = ReplyReader::Result;

std::string describe(const Reply& reply) {
  switch (reply.kind) {
    case Reply::Kind::Text:
      return "text " + std::string(reply.text);
    case Reply::Kind::Status:
      return "status " + std::string(reply.text);
    case Reply::Kind::Integer:
      return "integer " + std::to_string(reply.integer);
    case Reply::Kind::Nil:
      return "nil";
    case Reply::Kind::Error:
      return "error " + std::string(reply.text);
    default:
      return "not a server's";
  }
}

// What the bytes mean, fed in pieces of this size; the last is "malformed" if they are that.
std::vector<std::string> read(std::string_view bytes, size_t piece) {
  ReplyReader reader;
  std::vector<std::string> replies;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    reader.feed(bytes.substr(at, piece));
    Reply reply;
    Result result;
    while ((result = reader.next(&reply)) == Result::Reply) replies.push_back(describe(reply));
    if (result != Result::Malformed) continue;
    replies.push_back("malformed");
    break;
  }
  return replies;
}

using Replies = std::vector<std::string>;

TEST(ReplyReaderTest, EveryKindHoweverItArrives) {
  const std::string bytes =
      "+OK\r\n$5\r\nhello\r\n$0\r\n\r\n$-1\r\n*-1\r\n:42\r\n:-7\r\n-ERR no such thing\r\n"
      "$4\r\n\r\n\r\n\r\n+PONG\r\n";
  const Replies expected = {"status OK",     "text hello", "text ",      "nil",
                            "nil",           "integer 42", "integer -7", "error ERR no such thing",
                            "text \r\n\r\n", "status PONG"};
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    EXPECT_EQ(read(bytes, piece), expected) << piece;
  }
}

TEST(ReplyReaderTest, ManyRepliesInOneRead) {
  std::string bytes;
  for (int i = 0; i < 2000; ++i) bytes += "$6\r\nvalue" + std::to_string(i % 10) + "\r\n";
  const Replies replies = read(bytes, bytes.size());
  ASSERT_EQ(replies.size(), 2000u);
  for (size_t i = 0; i < replies.size(); ++i) {
    ASSERT_EQ(replies[i], "text value" + std::to_string(i % 10));
  }
}

// What a server gone mad, or none at all, could say. The replies before it are good.
TEST(ReplyReaderTest, MalformedRepliesAreTheEnd) {
  const std::string cases[] = {
      "HTTP/1.1 400 Bad Request\r\n",
      "SSH-2.0-OpenSSH_9.2\r\n",
      std::string("\x15\x03\x03\x00\x02\x02\x28", 7),
      "\r\n",
      std::string("\0\0\0\0", 4),
      "$-2\r\n",
      "$x\r\n",
      "$99999999999999999999\r\n",
      ":\r\n",
      ":abc\r\n",
      "*1\r\n$1\r\na\r\n",
      "*0\r\n",
      "*2147483647\r\n",
      "*-2\r\n",
      "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
  };
  for (const std::string& bytes : cases) {
    for (const size_t piece : {size_t{1}, bytes.size()}) {
      EXPECT_EQ(read("+OK\r\n" + bytes, piece), Replies({"status OK", "malformed"}))
          << bytes << " in " << piece;
    }
  }
}

TEST(ReplyReaderTest, WhatIsMalformedStaysSo) {
  ReplyReader reader;
  Reply reply;
  reader.feed("?");
  EXPECT_EQ(reader.next(&reply), Result::Malformed);
  reader.feed("+OK\r\n");
  EXPECT_EQ(reader.next(&reply), Result::Malformed);
}

TEST(ReplyReaderTest, AReplyThatDoesNotEndIsGivenUp) {
  const std::string most(ReplyReader::kMostPending - 10, 'x');
  const std::string fits = "$" + std::to_string(most.size()) + "\r\n" + most + "\r\n";
  EXPECT_EQ(read(fits, 1000).size(), 1u);
  for (const std::string& begin : {std::string("$1000000000\r\n"), std::string("+")}) {
    EXPECT_EQ(read(begin + std::string(ReplyReader::kMostPending + 1, 'x'), 1000),
              Replies({"malformed"}))
        << begin;
  }
}

}  // namespace
}  // namespace convoy::redis
