#include "proxy/http/h1_body.h"

#include <algorithm>

#include "proxy/base/assert.h"
#include "proxy/http/h1_scan.h"

namespace convoy::http {

namespace {

constexpr uint8_t kMaxSizeDigits = 16;

// -1 if it is no hexadecimal digit.
int hexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'f') return lower - 'a' + 10;
  return -1;
}

}  // namespace

void H1BodyReader::startKnown(uint64_t length) {
  CONVOY_ASSERT(length > 0);
  left_ = length;
  state_ = State::Known;
}

void H1BodyReader::startChunked() {
  unpaid_extensions_ = 0;
  startChunk();
}

void H1BodyReader::startChunk() {
  left_ = 0;
  digits_ = 0;
  state_ = State::ChunkSize;
}

void H1BodyReader::startUntilClose() {
  state_ = State::UntilClose;
}

void H1BodyReader::finish() {
  trailer_reader_.clear();
  trailers_done_ = nullptr;
  state_ = State::Idle;
}

H1BodyReader::Step H1BodyReader::fail(H1Error error) {
  error_ = error;
  return {Event::Error, {}};
}

H1BodyReader::Step H1BodyReader::data(std::string_view& input) {
  const auto length = static_cast<size_t>(std::min<uint64_t>(left_, input.size()));
  const std::string_view piece = input.substr(0, length);
  input.remove_prefix(length);
  left_ -= length;
  return {Event::Data, piece};
}

H1BodyReader::Step H1BodyReader::next(std::string_view& input, H1TrailerParser& scratch) {
  while (!input.empty()) {
    switch (state_) {
      case State::Idle:
        return {Event::End, {}};
      case State::Known: {
        Step step = data(input);
        step.last = left_ == 0;
        return step;
      }
      case State::UntilClose: {
        const std::string_view all = input;
        input = {};
        return {Event::Data, all};
      }
      case State::ChunkSize:
        if (!readSize(input)) return fail(error_);
        break;
      case State::Extension:
        if (!readExtension(input)) return fail(error_);
        break;
      case State::SizeLf:
        if (input[0] != '\n') return fail(H1Error::BareCr);
        input.remove_prefix(1);
        state_ = left_ == 0 ? State::Trailers : State::ChunkData;
        break;
      case State::ChunkData: {
        const Step step = data(input);
        if (left_ == 0) state_ = State::ChunkDataCr;
        return step;
      }
      case State::ChunkDataCr:
        if (input[0] != '\r') return fail(H1Error::ChunkNotTerminated);
        input.remove_prefix(1);
        state_ = State::ChunkDataLf;
        break;
      case State::ChunkDataLf:
        if (input[0] != '\n') return fail(H1Error::ChunkNotTerminated);
        input.remove_prefix(1);
        startChunk();
        break;
      case State::Trailers:
        return readTrailers(input, scratch);
    }
  }
  return {Event::NeedMore, {}};
}

bool H1BodyReader::readSize(std::string_view& input) {
  while (!input.empty()) {
    const char c = input[0];
    const int digit = hexValue(c);
    if (digit < 0) {
      // White space is allowed before an extension only by a recipient's mercy (RFC 9112 7.1.1).
      if (digits_ == 0 || (c != '\r' && c != ';')) {
        error_ = c == '\n' && digits_ > 0 ? H1Error::BareLf : H1Error::InvalidChunkSize;
        return false;
      }
      input.remove_prefix(1);
      extension_bytes_ = 0;
      state_ = c == '\r' ? State::SizeLf : State::Extension;
      return true;
    }
    // Leading zeros count as digits; the result must fit into 63 bits.
    if (digits_ == kMaxSizeDigits || left_ > (uint64_t{INT64_MAX} >> 4)) {
      error_ = H1Error::ChunkSizeOverflow;
      return false;
    }
    left_ = (left_ << 4) | static_cast<uint64_t>(digit);
    ++digits_;
    input.remove_prefix(1);
  }
  return true;
}

bool H1BodyReader::readExtension(std::string_view& input) {
  const size_t room = limits_.max_chunk_extension_bytes - extension_bytes_;
  const char* const end = input.data() + std::min(input.size(), room);
  const char* const stop = h1::valueEnd(input.data(), end);
  const auto length = static_cast<size_t>(stop - input.data());
  input.remove_prefix(length);
  extension_bytes_ += static_cast<uint32_t>(length);
  if (input.empty()) return true;
  if (input[0] == '\r') {
    input.remove_prefix(1);
    state_ = State::SizeLf;
    return chargeExtension();
  }
  if (input[0] == '\n') {
    error_ = H1Error::BareLf;
  } else if (stop == end) {
    error_ = H1Error::ChunkExtensionSize;
  } else {
    error_ = H1Error::ChunkExtension;
  }
  return false;
}

// The chunk's own data pays, but for no more than there was to pay: large chunks are no licence for
// those that follow.
bool H1BodyReader::chargeExtension() {
  unpaid_extensions_ += extension_bytes_;
  unpaid_extensions_ -= std::min(unpaid_extensions_, left_);
  if (unpaid_extensions_ <= limits_.max_body_extension_bytes) return true;
  error_ = H1Error::BodyExtensionSize;
  return false;
}

H1BodyReader::Step H1BodyReader::readTrailers(std::string_view& input, H1TrailerParser& scratch) {
  H1TrailerParser* done = nullptr;
  switch (trailer_reader_.read(scratch, input, &done)) {
    case H1Progress::Incomplete:
      return {Event::NeedMore, {}};
    case H1Progress::Error:
      return fail(done->error());
    case H1Progress::Complete:
      break;
  }
  trailers_done_ = done;
  return {done->trailers.empty() ? Event::End : Event::Trailers, {}};
}

}  // namespace convoy::http
