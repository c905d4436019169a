#pragma once

// "Written on main, read on workers without a lock": one value per worker, replaced by posting.
// Main calls publish(value); every worker's loop then swaps its own copy, between two turns, so a
// worker sees either the old value or the new one for the whole of a turn. Values are shared
// immutable objects.
//
// Reading get() costs one pointer load. Pinning a value for longer than a turn (a connection, a
// request) copies a LocalRef, whose count is not atomic and never leaves the worker: pinning costs
// no shared cache line.

#include <functional>
#include <memory>
#include <vector>

#include "proxy/base/assert.h"
#include "proxy/event/loop.h"

namespace convoy::event {

// A worker's counted reference to an immutable value. Copy only on the worker's own thread.
template <class T>
class LocalRef {
  struct Node {
    std::shared_ptr<const T> value;
    uint64_t references;
  };

 public:
  LocalRef() = default;
  explicit LocalRef(std::shared_ptr<const T> value)
      : node_(value == nullptr ? nullptr : new Node{std::move(value), 1}) {}
  LocalRef(const LocalRef& other) : node_(other.node_) {
    if (node_ != nullptr) ++node_->references;
  }
  LocalRef(LocalRef&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  LocalRef& operator=(LocalRef other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~LocalRef() {
    if (node_ != nullptr && --node_->references == 0) delete node_;
  }

  const T* get() const { return node_ == nullptr ? nullptr : node_->value.get(); }
  const T& operator*() const { return *get(); }
  const T* operator->() const { return get(); }
  explicit operator bool() const { return get() != nullptr; }
  std::shared_ptr<const T> shared() const { return node_ == nullptr ? nullptr : node_->value; }
  friend bool operator==(const LocalRef& a, const LocalRef& b) { return a.get() == b.get(); }

 private:
  Node* node_ = nullptr;
};

}  // namespace convoy::event
