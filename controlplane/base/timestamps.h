#pragma once

// Wall time <-> protobuf's Timestamp.

#include <chrono>
#include <cstdint>

#include "google/protobuf/timestamp.pb.h"
#include "proxy/event/clock.h"

namespace convoy::controlplane {

inline void setTimestamp(event::WallTime time, google::protobuf::Timestamp* out) {
  const int64_t ns =
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
  out->set_seconds(ns / 1'000'000'000);
  out->set_nanos(static_cast<int32_t>(ns % 1'000'000'000));
}

}  // namespace convoy::controlplane
