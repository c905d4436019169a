#include "proxy/http/server_codec_choice.h"

#include <gtest/gtest.h>

namespace convoy::http {
namespace {

using Codec = ConnectionManagerSpec::Codec;
using Choice = ServerCodecChoice;

TEST(ServerCodecChoiceTest, ConfigurationThenAlpnThenTheFirstBytes) {
  struct Case {
    Codec configured;
    std::string_view alpn;
    size_t seen;
    std::string_view bytes;
    Choice choice;
  };
  const Case cases[] = {
      {Codec::Http1, "h2", 0, kH2Preface, Choice::Http1},
      {Codec::Http2, "http/1.1", 0, "GET /", Choice::Http2},
      {Codec::Auto, "h2", 0, "GET /", Choice::Http2},
      {Codec::Auto, "http/1.1", 0, kH2Preface, Choice::Http1},
      {Codec::Auto, "", 0, kH2Preface, Choice::Http2},
      {Codec::Auto, "", 0, "GET /", Choice::Http1},
      {Codec::Auto, "", 0, "P", Choice::Undecided},
      {Codec::Auto, "", 1, "RI * HTTP/2.0\r\n\r\nSM\r\n\r", Choice::Undecided},
      {Codec::Auto, "", 23, "\n", Choice::Http2},
      {Codec::Auto, "", 23, "\nand SETTINGS", Choice::Http2},
      {Codec::Auto, "", 23, "\r", Choice::Http1},
      {Codec::Auto, "", 1, "OST / HTTP/1.1\r\nHost: long enough\r\n", Choice::Http1},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(chooseServerCodec(c.configured, c.alpn, c.seen, c.bytes), c.choice)
        << c.alpn << " " << c.seen << " " << c.bytes;
  }
}

}  // namespace
}  // namespace convoy::http
