#pragma once

// Counts how often one stream has stopped its connection's reading, so that the codec can take it
// all back when the body has ended. Part of a codec.

#include <cstdint>

#include "proxy/http/codec.h"

namespace convoy::http {

class H1ReadPause {
 public:
  explicit H1ReadPause(CodecConnection& connection) : connection_(connection) {}

  void pause() {
    ++count_;
    connection_.pauseReading();
  }
  void resume() {
    if (count_ == 0) return;  // it ended with the body
    --count_;
    connection_.resumeReading();
  }
  void clear() {
    while (count_ > 0) resume();
  }

 private:
  CodecConnection& connection_;
  uint32_t count_ = 0;
};

}  // namespace convoy::http
