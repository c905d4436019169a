#include "proxy/redis/reply_reader.h"

#include <hiredis/read.h>

#include "proxy/base/assert.h"

namespace convoy::redis {

// What hiredis calls for each value. What they return only must not be null.
struct ReplyReader::Functions {
  static ReplyReader& readerOf(const redisReadTask* task) {
    return *static_cast<ReplyReader*>(task->privdata);
  }
  static void* take(ReplyReader& reader, Reply::Kind kind, int64_t integer = 0) {
    reader.reply_ = {.kind = kind, .text = reader.text_, .integer = integer};
    return &reader;
  }

  static void* string(const redisReadTask* task, char* bytes, size_t size) {
    ReplyReader& reader = readerOf(task);
    reader.text_.assign(bytes, size);
    if (task->type == REDIS_REPLY_ERROR) return take(reader, Reply::Kind::Error);
    return take(reader, task->type == REDIS_REPLY_STATUS ? Reply::Kind::Status : Reply::Kind::Text);
  }
  static void* integer(const redisReadTask* task, long long value) {
    return take(cleared(task), Reply::Kind::Integer, value);
  }
  static void* nil(const redisReadTask* task) { return take(cleared(task), Reply::Kind::Nil); }
  static void* array(const redisReadTask*, int) { return nullptr; }  // refused
  static void free(void*) {}

  static ReplyReader& cleared(const redisReadTask* task) {
    ReplyReader& reader = readerOf(task);
    reader.text_.clear();
    return reader;
  }
};

void ReplyReader::Free::operator()(redisReader* reader) const {
  redisReaderFree(reader);
}

ReplyReader::ReplyReader() {
  static redisReplyObjectFunctions functions = {&Functions::string, &Functions::array,
                                                &Functions::integer, &Functions::nil,
                                                &Functions::free};
  reader_.reset(redisReaderCreateWithFunctions(&functions));
  CONVOY_ASSERT(reader_ != nullptr);
  reader_->privdata = this;
}

ReplyReader::~ReplyReader() = default;

void ReplyReader::feed(std::string_view bytes) {
  if (malformed_) return;
  malformed_ = redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK;
}

ReplyReader::Result ReplyReader::next(Reply* reply) {
  if (malformed_) return Result::Malformed;
  void* complete = nullptr;
  if (redisReaderGetReply(reader_.get(), &complete) != REDIS_OK) {
    malformed_ = true;
    return Result::Malformed;
  }
  if (complete == nullptr) {
    malformed_ = reader_->len - reader_->pos > kMostPending;
    return malformed_ ? Result::Malformed : Result::More;
  }
  *reply = reply_;
  return Result::Reply;
}

}  // namespace convoy::redis
