#include "proxy/tls/client_hello.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace convoy::tls {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Verdict = ClientHello::Verdict;

std::string number(size_t value, int bytes) {
  std::string result;
  for (int i = bytes - 1; i >= 0; --i) result += static_cast<char>(value >> (8 * i) & 0xff);
  return result;
}
std::string vector(const std::string& content, int length_bytes) {
  return number(content.size(), length_bytes) + content;
}
std::string extension(size_t type, const std::string& content) {
  return number(type, 2) + vector(content, 2);
}
std::string serverName(const std::string& host) {
  return extension(0, vector(std::string(1, '\0') + vector(host, 2), 2));
}
std::string protocols(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += vector(name, 1);
  return extension(16, vector(list, 2));
}
std::string body(const std::string& extensions) {
  return "\x03\x03" + std::string(32, 'r') + vector("session", 1) + vector("\x13\x01", 2) +
         vector(std::string(1, '\0'), 1) + vector(extensions, 2);
}
std::string message(const std::string& body) {
  return '\x01' + vector(body, 3);
}
std::string record(const std::string& content) {
  return "\x16\x03\x01" + vector(content, 2);
}
std::string hello(const std::string& extensions) {
  return record(message(body(extensions)));
}

TEST(ClientHello, ReadsNameAndProtocols) {
  const auto read = readClientHello(
      hello(extension(10, "any") + serverName("WWW.Example.com") + protocols({"h2", "http/1.1"})));
  EXPECT_EQ(read.verdict, Verdict::Complete);
  EXPECT_EQ(read.server_name, "www.example.com");
  EXPECT_THAT(read.application_protocols, ElementsAre("h2", "http/1.1"));
}

TEST(ClientHello, HasNeitherIfTheClientSaysNothing) {
  for (const std::string& bytes :
       {hello(""), hello(extension(10, "any")),
        record(message("\x03\x03" + std::string(32, 'r') + vector("", 1) + vector("\x13\x01", 2) +
                       vector(std::string(1, '\0'), 1)))}) {
    const auto read = readClientHello(bytes);
    EXPECT_EQ(read.verdict, Verdict::Complete);
    EXPECT_THAT(read.server_name, IsEmpty());
    EXPECT_THAT(read.application_protocols, IsEmpty());
  }
}

TEST(ClientHello, WaitsForEveryByte) {
  const std::string whole = hello(serverName("a.example.com"));
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(readClientHello(whole.substr(0, size)).verdict, Verdict::Incomplete) << size;
  }
  EXPECT_EQ(readClientHello(whole + "more").verdict, Verdict::Complete);
}

TEST(ClientHello, JoinsRecords) {
  const std::string whole = message(body(serverName("a.example.com")));
  for (size_t cut = 1; cut < whole.size(); ++cut) {
    const auto read = readClientHello(record(whole.substr(0, cut)) + record(whole.substr(cut)));
    ASSERT_EQ(read.verdict, Verdict::Complete) << cut;
    EXPECT_EQ(read.server_name, "a.example.com");
  }
}

TEST(ClientHello, TellsPlainText) {
  for (const char* const bytes :
       {"GET / HTTP/1.1\r\n", "PRI * HTTP/2.0", "\x17\x03\x01", "\x16\x02", "\x80\x2e\x01"}) {
    EXPECT_EQ(readClientHello(bytes).verdict, Verdict::NotTls) << bytes;
  }
}

TEST(ClientHello, RefusesWhatIsMalformed) {
  const std::string good = body(serverName("a.example.com"));
  const std::string cases[] = {
      record("\x02" + vector(good, 3)),                         // not a ClientHello
      record("\x01" + number(20'000, 3)),                       // too long
      record(""),                                               // an empty record
      "\x16\x03\x01\xff\xff",                                   // a record that may not be
      record(message(good).substr(0, 9)) + "GET / HTTP/1.1",    // something else in between
      record(message(good + "x")),                              // bytes behind
      record(message(good.substr(0, 20))),                      // cut
      record(message(body("x"))),                               // cut extensions
      hello(serverName("a") + serverName("a")),                 // twice
      hello(protocols({"h2"}) + protocols({"h2"})),             // twice
      hello(extension(0, "")),                                  // no list
      hello(extension(0, vector("", 2))),                       // an empty list
      hello(serverName("")),                                    // an empty name
      hello(serverName(std::string("a\0b", 3))),                // NUL in it
      hello(serverName(std::string(256, 'a'))),                 // too long
      hello(extension(0, vector('\x01' + vector("a", 2), 2))),  // not a host name
      hello(extension(0, vector(std::string(1, '\0') + vector("a", 2), 2) + "x")),
      hello(protocols({})),                       // an empty list
      hello(protocols({""})),                     // an empty protocol
      hello(extension(16, vector("\x05h2", 2))),  // a cut protocol
      record(message("\x03\x03" + std::string(32, 'r') + vector(std::string(33, 's'), 1))),
      record(message("\x03\x03" + std::string(32, 'r') + vector("", 1) + vector("\x13", 2))),
  };
  for (size_t i = 0; i < std::size(cases); ++i) {
    EXPECT_EQ(readClientHello(cases[i]).verdict, Verdict::Invalid) << i;
  }
}

TEST(ClientHello, GivesUpOnAHelloInCrumbs) {
  std::string crumbs;
  const std::string whole = message(body(extension(21, std::string(9000, 'p'))));
  for (const char byte : whole) crumbs += record(std::string(1, byte));
  EXPECT_EQ(readClientHello(crumbs).verdict, Verdict::Invalid);
}

}  // namespace
}  // namespace convoy::tls
