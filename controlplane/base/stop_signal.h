#pragma once

// Says once that the control plane stops, to those who wait for anything. Thread-safe.

#include <atomic>

#include "controlplane/base/observers.h"

namespace convoy::controlplane {

class StopSignal {
 public:
  void stop() {
    stopped_ = true;
    observers_.notify();
  }
  bool stopped() const { return stopped_; }
  Observers& observers() { return observers_; }

 private:
  std::atomic<bool> stopped_ = false;
  Observers observers_;
};

}  // namespace convoy::controlplane
