#include "test/integration/wire.h"

#include <gtest/gtest.h>

namespace convoy::test {
namespace {

WireReader requests(std::string_view bytes) {
  WireReader reader(WireReader::Role::Requests);
  reader.feed(bytes);
  return reader;
}

TEST(WireReaderTest, ReadsRequestsOneByOne) {
  WireReader reader(WireReader::Role::Requests);
  const std::string bytes =
      "POST /a HTTP/1.1\r\nX-A:1 \r\ncontent-length: 2\r\n\r\nhi"
      "PUT /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nt: 1\r\n\r\nGET";
  for (const char c : bytes) reader.feed({&c, 1});
  EXPECT_EQ(reader.error(), "");
  ASSERT_EQ(reader.messages().size(), 2u);
  EXPECT_EQ(reader.messages()[0].start, "POST /a HTTP/1.1");
  EXPECT_EQ(reader.messages()[0].field("x-a"), "1");
  EXPECT_EQ(reader.messages()[0].body, "hi");
  EXPECT_EQ(reader.messages()[1].body, "x");
  EXPECT_EQ(reader.messages()[1].trailers.size(), 1u);
  EXPECT_TRUE(reader.inside());
}

TEST(WireReaderTest, ForgivesNothing) {
  const std::string_view wrong[] = {
      "GET / HTTP/1.1\nHost: a\r\n\r\n",
      "GET / HTTP/1.0\r\n\r\n",
      "GET /a b HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nX : 1\r\n\r\n",
      "GET / HTTP/1.1\r\nX: 1\r\n folded\r\n\r\n",
      "GET / HTTP/1.1\r\nX: \x01\r\n\r\n",
      "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
      "GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx",
      "GET / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
      "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;x\r\nx\r\n0\r\n\r\n",
      "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
  };
  for (const std::string_view bytes : wrong) EXPECT_NE(requests(bytes).error(), "") << bytes;
}

TEST(WireReaderTest, ReadsResponses) {
  WireReader reader(WireReader::Role::Responses);
  reader.expectNoBody();
  reader.feed("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  reader.feed("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\nuntil");
  EXPECT_TRUE(reader.inside());
  reader.feed(" the end");
  reader.end();
  EXPECT_EQ(reader.error(), "");
  EXPECT_FALSE(reader.inside());
  ASSERT_EQ(reader.messages().size(), 4u);
  EXPECT_EQ(reader.messages()[1].body, "");
  EXPECT_EQ(reader.messages()[3].body, "until the end");
}

}  // namespace
}  // namespace convoy::test
