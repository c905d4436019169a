#pragma once

// Bytes of a Redis server in, replies out (RESP2, by hiredis's reader; no I/O). Only replies that
// are one value: what we send has no other, so an array is malformed, whatever is in it, and no
// server can make us build anything. Neither can one that does not end: kMostPending.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct redisReader;
struct redisReadTask;

namespace convoy::redis {

struct Reply {
  enum class Kind : uint8_t {
    Text,     // a value
    Status,   // "OK", "PONG"
    Integer,  // a number
    Nil,      // there is no such value
    Error,    // the server's words
    // Not the server's:
    TimedOut,  // no answer yet, and it is too late for one
    Lost,      // the connection ended before the answer
  };
  Kind kind = Kind::Nil;
  std::string_view text = {};  // Text, Status, Error; hostile
  int64_t integer = 0;
};

class ReplyReader {
 public:
  // Of a reply that is not complete.
  static constexpr size_t kMostPending = 16 * 1024;

  ReplyReader();
  ~ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  void feed(std::string_view bytes);

  enum class Result : uint8_t {
    Reply,      // `reply`, whose text is good until the next call
    More,       // bytes are missing
    Malformed,  // this is no Redis, or an old one gone mad; always, from here on
  };
  Result next(Reply* reply);

 private:
  struct Functions;
  struct Free {
    void operator()(redisReader* reader) const;
  };

  std::unique_ptr<redisReader, Free> reader_;
  Reply reply_;
  std::string text_;  // hiredis may move its buffer before it returns
  bool malformed_ = false;
};

}  // namespace convoy::redis
