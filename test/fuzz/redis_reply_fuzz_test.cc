// Any bytes as what a Redis server says. However they arrive they mean the same replies, which are
// single values no larger than what was received, and what makes no sense stays so to the end.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/assert.h"
#include "proxy/redis/reply_reader.h"
#include "test/fuzz/h1_split.h"

namespace {

using convoy::redis::Reply;
using convoy::redis::ReplyReader;

constexpr std::string_view kMalformed = "malformed";

// The kind, and what it carries.
std::string textOf(const Reply& reply) {
  CONVOY_ASSERT(reply.kind < Reply::Kind::TimedOut);
  const bool empty = reply.kind == Reply::Kind::Nil || reply.kind == Reply::Kind::Integer;
  CONVOY_ASSERT(!empty || reply.text.empty());
  CONVOY_ASSERT(reply.kind == Reply::Kind::Integer || reply.integer == 0);
  return std::to_string(static_cast<int>(reply.kind)) + std::to_string(reply.integer) + ":" +
         std::string(reply.text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // Beyond it, what is given up depends on how it arrives.
  if (size > ReplyReader::kMostPending) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::vector<std::vector<std::string>> ways;
  convoy::fuzz::forSomeSplits(bytes, [&](auto&& feed_all) {
    ReplyReader reader;
    std::vector<std::string>& replies = ways.emplace_back();
    size_t carried = 0;
    feed_all([&](std::string_view piece) {
      reader.feed(piece);
      Reply reply;
      ReplyReader::Result result;
      while ((result = reader.next(&reply)) == ReplyReader::Result::Reply) {
        CONVOY_ASSERT(replies.empty() || replies.back() != kMalformed);
        replies.push_back(textOf(reply));
        carried += reply.text.size();
      }
      const bool malformed = result == ReplyReader::Result::Malformed;
      const bool known = !replies.empty() && replies.back() == kMalformed;
      CONVOY_ASSERT(malformed || !known);
      if (malformed && !known) replies.emplace_back(kMalformed);
    });
    CONVOY_ASSERT(carried <= bytes.size());
    CONVOY_ASSERT(replies == ways.front());
  });
  return 0;
}
