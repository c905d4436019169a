#pragma once

// A net::ConnectionHandler that writes down what happens to it and lets a test act on it.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/net/connection.h"

namespace convoy::test {

struct RecordingHandler final : net::ConnectionHandler {
  void onConnected() override {
    connected = true;
    if (when_connected) when_connected();
  }
  void onRead(std::string_view bytes) override {
    received += bytes;
    ++reads;
    if (when_read) when_read(bytes);
  }
  net::SpliceResult onSpliceable() override {
    return when_spliceable ? when_spliceable() : net::SpliceResult();
  }
  void onEndOfStream() override {
    ended = true;
    if (when_ended) when_ended();
  }
  void onClosed(net::CloseReason reason) override {
    closed = reason;
    ++closed_calls;
    if (when_closed) when_closed();
  }
  void onWriteQueueAboveHigh() override {
    ++above_high;
    if (when_above_high) when_above_high();
  }
  void onWriteQueueBelowLow() override {
    ++below_low;
    if (when_below_low) when_below_low();
  }

  std::string received;
  int reads = 0;
  int above_high = 0;
  int below_low = 0;
  int closed_calls = 0;
  bool connected = false;
  bool ended = false;
  std::optional<net::CloseReason> closed;

  std::function<void()> when_connected;
  std::function<void(std::string_view)> when_read;
  std::function<net::SpliceResult()> when_spliceable;
  std::function<void()> when_ended;
  std::function<void()> when_closed;
  std::function<void()> when_above_high;
  std::function<void()> when_below_low;
};

}  // namespace convoy::test
