#pragma once

// A doubly linked list whose links live in its elements: no allocation, O(1) removal from the
// middle. The list owns nothing. An element is in at most one list per Tag and unlinks itself when
// destroyed. Not thread-safe; a list and its elements belong to one thread.

#include "proxy/base/assert.h"

namespace convoy::base {

// Inherit from this once per list that an object can be in, each with a tag of its own.
template <class Tag = void>
class ListHook {
 public:
  ListHook() = default;
  ~ListHook() { unlink(); }
  ListHook(const ListHook&) = delete;
  ListHook& operator=(const ListHook&) = delete;

  bool linked() const { return next_ != nullptr; }
  void unlink() {
    if (!linked()) return;
    prev_->next_ = next_;
    next_->prev_ = prev_;
    prev_ = next_ = nullptr;
  }

 private:
  template <class T, class U>
  friend class IntrusiveList;
  ListHook* prev_ = nullptr;
  ListHook* next_ = nullptr;
};

template <class T, class Tag = void>
class IntrusiveList {
  using Hook = ListHook<Tag>;

 public:
  IntrusiveList() { head_.prev_ = head_.next_ = &head_; }
  ~IntrusiveList() { clear(); }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;

  bool empty() const { return head_.next_ == &head_; }
  T& front() { return static_cast<T&>(*head_.next_); }
  T& back() { return static_cast<T&>(*head_.prev_); }
  void pushFront(T& element) { insertAfter(head_, element); }
  void pushBack(T& element) { insertAfter(*head_.prev_, element); }
  // REQUIRES: the position, or element, is in this list.
  void insertBefore(T& position, T& element) {
    insertAfter(*static_cast<Hook&>(position).prev_, element);
  }
  // The one behind it; null: it is the last.
  T* next(T& element) {
    Hook* const next = static_cast<Hook&>(element).next_;
    return next == &head_ ? nullptr : static_cast<T*>(next);
  }
  T& popFront() {
    T& element = front();
    static_cast<Hook&>(element).unlink();
    return element;
  }
  T& popBack() {
    T& element = back();
    static_cast<Hook&>(element).unlink();
    return element;
  }
  void clear() {
    while (!empty()) head_.next_->unlink();
  }
  // Visits every element; the visitor may unlink the element that it is given, and no other.
  template <class Visitor>
  void forEach(Visitor&& visit) {
    for (Hook* at = head_.next_; at != &head_;) {
      Hook* next = at->next_;
      visit(static_cast<T&>(*at));
      at = next;
    }
  }

 private:
  void insertAfter(Hook& position, T& element) {
    Hook& hook = element;
    CONVOY_ASSERT(!hook.linked());
    hook.prev_ = &position;
    hook.next_ = position.next_;
    position.next_->prev_ = &hook;
    position.next_ = &hook;
  }

  Hook head_;
};

}  // namespace convoy::base
