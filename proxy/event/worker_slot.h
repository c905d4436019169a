#pragma once

// "Written on main, read on workers without a lock": one value per worker, replaced by posting.
// Main calls publish(value); every worker's loop then swaps its own copy, between two turns, so a
// worker sees either the old value or the new one for the whole of a turn. Values are shared
// immutable objects.
//
// Reading get() costs one pointer load. Pinning a value for longer than a turn (a connection, a
// request) copies a LocalRef, whose count is not atomic and never leaves the worker: pinning costs
// no shared cache line.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
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

// The publisher. Made and destroyed on main, whose loop and whose workers' loops outlive it.
// The last reference to a published value, wherever it is dropped, sends the value back to be
// destroyed on main: freeing a large table costs no request's time.
template <class T>
class WorkerSlot {
  // One per worker. Touched only by its worker, once the slot is built.
  struct alignas(64) Entry {
    LocalRef<T> value;
    std::function<void()> on_change;
  };
  struct Shared {
    explicit Shared(size_t workers) : entries(workers) {}
    std::vector<Entry> entries;
  };

 public:
  WorkerSlot(Loop& main, std::vector<Loop*> workers)
      : main_(main), workers_(std::move(workers)), shared_(new Shared(workers_.size())) {}
  // Each worker drops its copy on its own thread.
  ~WorkerSlot() {
    for (size_t i = 0; i < workers_.size(); ++i) {
      workers_[i]->post([shared = shared_, i] {
        Entry& entry = shared->entries[i];
        entry.on_change = nullptr;
        entry.value = LocalRef<T>();
      });
    }
  }
  WorkerSlot(const WorkerSlot&) = delete;
  WorkerSlot& operator=(const WorkerSlot&) = delete;

  // Main: every worker sees the value after its current turn. Values arrive in the order of
  // publishing. on_everywhere, if given, runs on main once all workers have it and their on_change
  // callbacks returned; never if a worker's loop ends before.
  void publish(std::shared_ptr<const T> value, std::function<void()> on_everywhere = nullptr) {
    CONVOY_ASSERT(main_.isOwnThread());
    current_ = destroyedOnMain(std::move(value));
    auto arrivals = std::make_shared<Arrivals>(workers_.size(), std::move(on_everywhere));
    if (workers_.empty()) arrivals->tellMain(main_);
    for (size_t i = 0; i < workers_.size(); ++i) {
      workers_[i]->post([shared = shared_, i, value = current_, arrivals, &main = main_] {
        Entry& entry = shared->entries[i];
        const LocalRef<T> before = std::exchange(entry.value, LocalRef<T>(value));
        if (entry.on_change) entry.on_change();
        if (arrivals->missing.fetch_sub(1, std::memory_order_acq_rel) == 1) {
          arrivals->tellMain(main);
        }
      });
    }
  }
  // Main: what was published last; null before.
  const std::shared_ptr<const T>& published() const { return current_; }

  // Worker: what this worker sees now. The reference is good as long as the slot.
  const LocalRef<T>& get(size_t worker) const { return shared_->entries[worker].value; }
  // Worker (or before the workers run): called after each swap, when get() has the new value.
  // Replaces the callback set before.
  void setOnChange(size_t worker, const std::function<void()>& on_change) {
    CONVOY_ASSERT(workers_[worker]->isOwnThread());
    shared_->entries[worker].on_change = on_change;
  }

 private:
  struct Arrivals {
    Arrivals(size_t workers, std::function<void()> then)
        : missing(workers), then(std::move(then)) {}
    void tellMain(Loop& main) {
      if (then) main.post(std::move(then));
    }
    std::atomic<size_t> missing;
    std::function<void()> then;
  };

  std::shared_ptr<const T> destroyedOnMain(std::shared_ptr<const T> value) {
    if (value == nullptr) return nullptr;
    const T* const object = value.get();
    return std::shared_ptr<const T>(object,
                                    [keep = std::move(value), &main = main_](const T*) mutable {
                                      if (!main.isOwnThread())
                                        main.post([last = std::move(keep)] {});
                                    });
  }

  Loop& main_;
  const std::vector<Loop*> workers_;
  const std::shared_ptr<Shared> shared_;
  std::shared_ptr<const T> current_;
};

}  // namespace convoy::event
