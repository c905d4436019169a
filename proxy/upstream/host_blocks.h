#pragma once

// The hosts of a cluster, or of one subset of it, in blocks: hosts that are next to one another, of
// which main keeps what groups are made of (grouping.h), until one of them changes. So a verdict on
// one host costs a look at its block and at what is known of the others, not at all hosts. Main's
// thread only.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "proxy/upstream/host_piece.h"

namespace convoy::upstream {

enum class HostGrade : uint8_t {
  Healthy,
  Degraded,
  Unverified,  // no check has told anything yet
  Relapsed,    // its checks pass again, but not for long enough to be relied on
  Excluded,
  Away,  // on purpose: not even in panic
};

// Serves if no other can.
inline bool isUnproven(HostGrade grade) {
  return grade == HostGrade::Unverified || grade == HostGrade::Relapsed;
}

struct GroupedHost {
  HostEntry entry;
  uint32_t priority = 0;
  uint32_t locality = 0;  // index of the assignment's
  HostGrade grade = HostGrade::Excluded;
  bool last_good = false;  // could be used when there were enough
};

// Whom a group is made of (isOfKind).
enum class HostKind : uint8_t {
  Healthy,
  Degraded,
  Panic,          // whoever is not away,
  PanicLastGood,  // and of these whoever was good last, or is well
};

bool isOfKind(const GroupedHost& host, HostKind kind);

// Hosts of one priority and locality that are next to one another.
struct HostTally {
  struct Counts {
    uint64_t hosts = 0;
    uint64_t healthy = 0;
    uint64_t degraded = 0;
    uint64_t unverified = 0;
  };
  uint32_t priority = 0;
  uint32_t locality = 0;
  size_t first = 0;  // position of the first; there are count.hosts of them
  Counts count;
  Counts weight;  // likewise, but each host is as many as its weight
  uint32_t max_weight = 0;
  uint32_t unproven = 0;
  uint32_t present = 0;    // not away
  uint32_t last_good = 0;  // of these

  void add(const GroupedHost& host);
  // False: none of them is of this kind.
  bool any(HostKind kind) const;
};

class HostBlocks {
 public:
  static constexpr size_t kHosts = HostPiece::kMostHosts;  // of a block, but for tests
  // In place of a place.
  static constexpr uint32_t kEverywhere = UINT32_MAX;
  using PiecesByPlace = std::map<uint32_t, HostPieces>;
  // Positions [first, end).
  struct Range {
    size_t first;
    size_t end;
  };

  // All hosts of a cluster, of which there are none yet. REQUIRES: of_block <= kHosts.
  explicit HostBlocks(size_t of_block = kHosts);
  // These: indices of the cluster's, of which there is at least one.
  explicit HostBlocks(std::vector<uint32_t> indices, size_t of_block = kHosts);

  // Positions are [0, size()).
  size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  // Of the cluster's hosts.
  size_t indexAt(size_t position) const { return indices_.empty() ? position : indices_[position]; }
  std::span<const uint32_t> indices() const { return indices_; }

  // The cluster has so many now; those from there on may be others. REQUIRES: they are all hosts.
  void resize(size_t count, size_t from);
  // The host at this position is not as it was. REQUIRES: position < size().
  void touch(size_t position) { touchBlock(position / of_block_); }
  void touchAll();

  // Looks at what was touched. hosts: of the cluster.
  void refresh(std::span<const GroupedHost> hosts);
  // Positions of the hosts of the blocks that were touched since the last call.
  std::vector<Range> takeTouched();

  // What follows is as of the last refresh().
  template <class Visit>
  void forEachTally(Visit&& visit) const {
    for (const Block& block : blocks_) {
      for (const HostTally& tally : block.tallies) visit(tally);
    }
  }
  // Adds to each place of `to` those of a kind in one priority who are there, block by block; a
  // piece is the same one as long as its hosts are. places: by locality; empty: all are at 0.
  // Pieces that are not asked for until forgetUnwanted() go.
  void addPieces(uint32_t priority, HostKind kind, std::span<const GroupedHost> hosts,
                 std::span<const uint32_t> places, PiecesByPlace& to);
  void forgetUnwanted();

 private:
  using Places = absl::InlinedVector<uint32_t, 4>;  // in order
  // What was made of one priority and kind of a block.
  struct Made {
    bool fresh = false;   // since tallies were
    bool wanted = false;  // since forgetUnwanted()
    Places asked;         // places of the block that somebody has asked for
    std::map<uint32_t, std::shared_ptr<const HostPiece>> pieces;  // by place
  };
  struct Block {
    bool touched = true;  // since takeTouched()
    bool fresh = false;   // tallies are, since refresh() after a touch
    std::vector<HostTally> tallies;
    std::map<std::pair<uint32_t, HostKind>, Made> made;  // none of nobody
  };

  size_t blocksOf(size_t hosts) const { return (hosts + of_block_ - 1) / of_block_; }
  Range rangeOf(size_t block) const {
    return {block * of_block_, std::min((block + 1) * of_block_, count_)};
  }
  void touchBlock(size_t block);
  void tally(size_t block, std::span<const GroupedHost> hosts);
  static Places asked(const Block& block, uint32_t priority, HostKind kind,
                      std::span<const uint32_t> places, const PiecesByPlace& to);
  void make(const Block& block, uint32_t priority, HostKind kind,
            std::span<const GroupedHost> hosts, std::span<const uint32_t> places, Made& made) const;

  size_t of_block_;
  std::vector<uint32_t> indices_;  // empty: all
  size_t count_ = 0;
  std::vector<Block> blocks_;
};

}  // namespace convoy::upstream
