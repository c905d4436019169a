#pragma once

// Hosts that new requests may go to, in configured order, with their weights: an immutable
// snapshot, built on main, read by every worker. Hosts are bare pointers: a worker lets go of a
// host only by the same message that brings it the set without that host.
//
// It is what an algorithm works on: one group of a cluster's hosts (host_groups.h). Most clusters
// have one group.
//
// Hosts lie in pieces (host_piece.h), which a set shares with the one before: a new set costs some
// bytes for each piece, and what is new in it. Up to HostPiece::kMostHosts hosts are one piece, and
// so is any number of them if there is a hash table, which is made of all of them anyway.
//
// What algorithms need is computed here, once for all workers: the smooth weighted order while it
// is small (wrr_sequence.h), classes of equal weight otherwise.

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <vector>

#include "proxy/base/assert.h"
#include "proxy/event/random.h"
#include "proxy/upstream/alias_table.h"
#include "proxy/upstream/hash_table.h"
#include "proxy/upstream/host_piece.h"

namespace convoy::upstream {

class HostSet {
  struct Part;

 public:
  using Entry = HostEntry;
  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;
    using pointer = const Entry*;
    using reference = const Entry&;

    Iterator() = default;
    Iterator(const Part* part, const Entry* at) : part_(part), at_(at) {}
    reference operator*() const { return *at_; }
    pointer operator->() const { return at_; }
    Iterator& operator++() {
      if (++at_ == part_->entries.data() + part_->entries.size()) {
        ++part_;
        at_ = part_->entries.data();
      }
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.at_ == b.at_; }

   private:
    const Part* part_ = nullptr;
    const Entry* at_ = nullptr;
  };
  // All of them, in order.
  class Entries {
   public:
    explicit Entries(const HostSet& set) : set_(&set) {}
    size_t size() const { return set_->size(); }
    bool empty() const { return set_->empty(); }
    const Entry& operator[](size_t index) const { return set_->at(index); }
    Iterator begin() const { return {set_->parts_.data(), set_->parts_.front().entries.data()}; }
    Iterator end() const { return {&set_->parts_.back(), nullptr}; }

   private:
    const HostSet* set_;
  };
  // All hosts of one weight, for earliest-deadline-first picks, in order.
  struct WeightClass {
    struct Part {
      std::span<const Entry> entries;
      std::span<const uint32_t> members;  // indices of entries; not empty
      uint64_t first;                     // how many of the class are in the parts before
    };
    uint32_t weight;
    uint64_t count;  // of hosts
    std::span<const Part> parts;
  };

  // make_table: what a hashing policy needs; null: nothing.
  explicit HostSet(HostPieces pieces, const MakeHashTable& make_table = nullptr);
  explicit HostSet(std::vector<Entry> entries, const MakeHashTable& make_table = nullptr)
      : HostSet(piecesOf(std::move(entries)), make_table) {}
  HostSet(const HostSet&) = delete;
  HostSet& operator=(const HostSet&) = delete;

  Entries entries() const { return Entries(*this); }
  // REQUIRES: there are at most HostPiece::kMostHosts.
  std::span<const Entry> few() const { return {flat_, size_}; }
  const Entry& at(size_t index) const { return flat_ != nullptr ? flat_[index] : inParts(index); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool equalWeights() const { return equal_weights_; }
  uint32_t maxWeight() const { return max_weight_; }
  uint64_t totalWeight() const { return total_weight_; }
  // Indices of entries in smooth weighted order, one whole cycle; empty with equal weights (the
  // order is that of the entries), above the limits of wrr_sequence.h, and if there is a table.
  std::span<const uint16_t> smoothOrder() const { return smooth_order_; }
  // Heaviest first. Empty unless weights differ, and there is neither a smooth order nor a table.
  std::span<const WeightClass> weightClasses() const { return classes_; }
  // One at random, with the probabilities of the weights. REQUIRES: not empty.
  const Entry& draw(event::Random& random) const {
    if (flat_ == nullptr) return drawInParts(random);
    const size_t index = random.below(size_);
    return flat_[equal_weights_ ? index : shares_->at(index, random.below(total_weight_))];
  }
  // For draws of another kind; empty with equal weights. REQUIRES: hosts are one piece, as they are
  // where a table is made.
  const AliasTable& shares() const {
    CONVOY_ASSERT(shares_ != nullptr);
    return *shares_;
  }
  // What it is put together from.
  const HostPieces& pieces() const { return pieces_; }
  // Null: none was asked for, or the set is empty.
  const HashTable* hashTable() const { return hash_table_.get(); }

 private:
  // A piece, and the index of its first host.
  struct Part {
    std::span<const Entry> entries;
    size_t first;
  };
  // Of so many hosts in order, the part of the first is noted.
  static constexpr size_t kStride = 256;

  void notePieces();
  void noteParts();
  void buildOrder();
  void buildClasses();
  const Entry& inParts(size_t index) const {
    const Part* part = &parts_[part_near_[index / kStride]];
    while (index - part->first >= part->entries.size()) ++part;
    return part->entries[index - part->first];
  }
  const Entry& drawInParts(event::Random& random) const;

  const HostPieces pieces_;
  std::vector<Part> parts_;             // of each piece, and one more with nobody in it
  const Entry* flat_ = nullptr;         // all hosts, if they are one piece,
  const AliasTable* shares_ = nullptr;  // and what this one draws by
  std::vector<uint32_t> part_near_;     // otherwise, by index / kStride
  size_t size_ = 0;
  bool equal_weights_ = true;
  uint32_t max_weight_ = 0;
  uint64_t total_weight_ = 0;
  AliasTable part_shares_;
  std::vector<uint16_t> smooth_order_;
  std::vector<WeightClass> classes_;
  std::vector<WeightClass::Part> class_parts_;  // class by class
  std::shared_ptr<const HashTable> hash_table_;
};

}  // namespace convoy::upstream
