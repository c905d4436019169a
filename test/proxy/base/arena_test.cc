#include "proxy/base/arena.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace convoy::base {
namespace {

TEST(Arena, CopiesTextThatOutlivesItsSource) {
  Arena arena;
  std::string source = "Content-Type";
  const std::string_view copy = arena.copy(source);
  source.assign(source.size(), 'x');
  EXPECT_EQ(copy, "Content-Type");
  EXPECT_TRUE(arena.copy("").empty());
}

TEST(Arena, UsualRequestStaysInsideTheFirstBlock) {
  Arena arena;
  for (int i = 0; i < 24; ++i) arena.copy(std::string(100, 'h'));
  EXPECT_EQ(arena.bytesInExtraBlocks(), 0u);
}

TEST(Arena, AlignsAndNeverOverlaps) {
  Arena arena;
  std::vector<std::pair<char*, size_t>> given;
  for (size_t i = 0; i < 400; ++i) {
    const size_t alignment = size_t{1} << (i % 7);
    const size_t bytes = 1 + (i * 37) % 300;
    char* const at = arena.allocate(bytes, alignment);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(at) % alignment, 0u);
    std::memset(at, static_cast<int>(i & 0x7f), bytes);
    given.emplace_back(at, bytes);
  }
  for (size_t i = 0; i < given.size(); ++i) {
    const std::string expected(given[i].second, static_cast<char>(i & 0x7f));
    EXPECT_EQ(std::string(given[i].first, given[i].second), expected) << "allocation " << i;
  }
}

TEST(Arena, LargeAllocationKeepsTheRoomOfTheFirstBlock) {
  Arena arena;
  char* const before = arena.allocate(1);
  arena.allocate(1024 * 1024);
  const size_t extra = arena.bytesInExtraBlocks();
  EXPECT_GE(extra, 1024u * 1024u);
  EXPECT_EQ(arena.allocate(1), before + 1);
  EXPECT_EQ(arena.bytesInExtraBlocks(), extra);
}

struct Recorder {
  Recorder(std::vector<int>& log, int id) : log(log), id(id) {}
  ~Recorder() { log.push_back(id); }
  std::vector<int>& log;
  int id;
};

TEST(Arena, ResetDestroysInReverseOrderAndReusesTheFirstBlock) {
  std::vector<int> log;
  Arena arena;
  char* const first = arena.allocate(1);
  for (int i = 0; i < 200; ++i) arena.make<Recorder>(log, i);
  EXPECT_GT(arena.bytesInExtraBlocks(), 0u);
  arena.reset();
  ASSERT_EQ(log.size(), 200u);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(log[i], 199 - i);
  EXPECT_EQ(arena.bytesInExtraBlocks(), 0u);
  EXPECT_EQ(arena.allocate(1), first);
}

TEST(Arena, DestructorDestroysWhatWasMade) {
  std::vector<int> log;
  {
    Arena arena;
    EXPECT_EQ(arena.make<Recorder>(log, 7)->id, 7);
    EXPECT_EQ(*arena.make<int>(5), 5);
  }
  EXPECT_EQ(log, std::vector<int>{7});
}

}  // namespace
}  // namespace convoy::base
