#pragma once

// Which groups (host_groups.h) each host is in, by the hosts' slots: in pages, which an index
// shares with the one that it was made from, but for those of hosts that have moved. Built on main;
// immutable then, any thread.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "proxy/upstream/host_set.h"

namespace convoy::upstream {

class GroupIndex {
 public:
  // What is another than in the index before.
  class Changes {
   public:
    // The set of the group with this id was `before`, and is `now`; null: there was, or is, no such
    // group. Once for each group.
    void note(uint64_t group, const HostSet* before, const HostSet* now);

   private:
    friend class GroupIndex;
    struct Change {
      uint32_t slot;
      uint64_t group;
      bool comes;  // or goes
    };
    std::vector<Change> changes_;
  };

  void apply(Changes changes);
  // Ids, in order.
  std::span<const uint64_t> groupsOf(uint32_t slot) const;

 private:
  static constexpr size_t kSlots = 256;  // of a page
  struct Page {
    std::array<uint32_t, kSlots + 1> first{};  // where a slot's groups begin in `groups`
    std::vector<uint64_t> groups;
  };
  void applyTo(size_t page, std::span<const Changes::Change> changes);

  std::vector<std::shared_ptr<const Page>> pages_;  // null: nobody
};

}  // namespace convoy::upstream
