#include "proxy/grpc/frame_parser.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/grpc/status.h"

namespace convoy::grpc {

namespace {

// What is kept allocated between messages.
constexpr size_t kKeptCapacity = 64 * 1024;

}  // namespace

void writeFramePrefix(uint32_t length, char out[kFramePrefixBytes]) {
  out[0] = 0;
  for (int i = 0; i < 4; ++i) out[1 + i] = static_cast<char>(length >> (24 - 8 * i));
}

FrameParser::Result FrameParser::parse(std::string_view& bytes) {
  if (!error_.ok()) return Result::Error;
  if (shown_) dropMessage();
  if (prefix_bytes_ < kFramePrefixBytes) {
    if (!takePrefix(bytes)) return Result::NeedMore;
    if (!acceptPrefix()) return Result::Error;
  }
  if (gathered_.empty() && bytes.size() >= length_) {
    message_ = bytes.substr(0, length_);
    bytes.remove_prefix(length_);
  } else {
    const size_t taken = std::min(bytes.size(), length_ - gathered_.size());
    gathered_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    if (gathered_.size() < length_) return Result::NeedMore;
    message_ = gathered_;
  }
  prefix_bytes_ = 0;
  shown_ = true;
  return Result::Message;
}

void FrameParser::dropMessage() {
  shown_ = false;
  message_ = {};
  gathered_.clear();
  if (gathered_.capacity() > kKeptCapacity) gathered_ = std::string();
}

bool FrameParser::takePrefix(std::string_view& bytes) {
  const size_t taken = std::min(bytes.size(), kFramePrefixBytes - prefix_bytes_);
  std::memcpy(prefix_ + prefix_bytes_, bytes.data(), taken);
  prefix_bytes_ += taken;
  bytes.remove_prefix(taken);
  return prefix_bytes_ == kFramePrefixBytes;
}

bool FrameParser::acceptPrefix() {
  length_ = 0;
  for (int i = 1; i <= 4; ++i) length_ = length_ << 8 | static_cast<uint8_t>(prefix_[i]);
  if (prefix_[0] == 1) {
    error_ = absl::InternalError("the peer sent a compressed message, which was not offered");
  } else if (prefix_[0] != 0) {
    error_ =
        absl::InternalError(absl::StrCat("the peer sent a message whose compressed flag is ",
                                         static_cast<uint8_t>(prefix_[0]), ": neither 0 nor 1"));
  } else if (length_ > max_message_bytes_) {
    error_ = absl::ResourceExhaustedError(absl::StrCat("the peer announced a message of ", length_,
                                                       " bytes; at most ", max_message_bytes_,
                                                       " are accepted"));
  }
  if (error_.ok()) return true;
  error_ = foundInBytes(std::move(error_));
  return false;
}

}  // namespace convoy::grpc
