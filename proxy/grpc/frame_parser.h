#pragma once

// Cuts a gRPC body into messages (Length-Prefixed-Message: a compressed flag, four bytes of length,
// the message). Sans-I/O; bytes may come in pieces of any size. A message that lies whole in one
// piece is shown in place; others are gathered, in a buffer that grows with what arrived and never
// with what the peer announced.

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace convoy::grpc {

// The prefix of an uncompressed message of this length.
inline constexpr size_t kFramePrefixBytes = 5;
void writeFramePrefix(uint32_t length, char out[kFramePrefixBytes]);

class FrameParser {
 public:
  enum class Result : uint8_t {
    Message,   // message() has one; call again with what is left
    NeedMore,  // everything was taken
    Error,     // error() says what; nothing can follow
  };

  explicit FrameParser(size_t max_message_bytes) : max_message_bytes_(max_message_bytes) {}

  // Takes bytes from the front of `bytes`, at most to the end of one message.
  Result parse(std::string_view& bytes);

  // Valid until the next call of parse(), or until the bytes that were given go away.
  std::string_view message() const { return message_; }
  const absl::Status& error() const { return error_; }  // foundInBytes() of status.h
  // True if the body must not end here.
  bool insideMessage() const { return prefix_bytes_ > 0; }

 private:
  void dropMessage();
  bool takePrefix(std::string_view& bytes);
  bool acceptPrefix();

  const size_t max_message_bytes_;
  char prefix_[kFramePrefixBytes];
  size_t prefix_bytes_ = 0;
  size_t length_ = 0;
  bool shown_ = false;  // message_ was returned by the previous call
  std::string gathered_;
  std::string_view message_;
  absl::Status error_;
};

}  // namespace convoy::grpc
