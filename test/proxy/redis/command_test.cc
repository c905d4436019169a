#include "proxy/redis/command.h"

#include <gtest/gtest.h>

#include <string>

namespace convoy::redis {
namespace {

std::string bytesOf(Words words) {
  net::ByteQueue queue;
  appendCommand(words, queue);
  return queue.toString();
}

TEST(RedisCommandTest, EachWordSaysItsLength) {
  EXPECT_EQ(bytesOf({"PING"}), "*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(bytesOf({"SET", "k", "10.0.0.1:80", "EX", "60"}),
            "*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$11\r\n10.0.0.1:80\r\n$2\r\nEX\r\n$2\r\n60\r\n");
}

TEST(RedisCommandTest, NoWordBecomesAnotherCommand) {
  EXPECT_EQ(bytesOf({"GET", ""}), "*2\r\n$3\r\nGET\r\n$0\r\n\r\n");
  EXPECT_EQ(bytesOf({"GET", "a\r\nFLUSHALL\r\n"}),
            "*2\r\n$3\r\nGET\r\n$13\r\na\r\nFLUSHALL\r\n\r\n");
  EXPECT_EQ(bytesOf({"GET", std::string_view("a\0b", 3)}),
            std::string("*2\r\n$3\r\nGET\r\n$3\r\na\0b\r\n", 22));
}

}  // namespace
}  // namespace convoy::redis
