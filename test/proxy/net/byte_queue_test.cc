#include "proxy/net/byte_queue.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace convoy::net {
namespace {

std::string pattern(size_t n) {
  std::string text(n, '\0');
  for (size_t i = 0; i < n; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 251) % 26);
  return text;
}

std::string drain(ByteQueue& queue, size_t step) {
  std::string result;
  while (!queue.empty()) {
    const std::string_view front = queue.front().substr(0, step);
    EXPECT_FALSE(front.empty());
    result += front;
    queue.consume(front.size());
  }
  EXPECT_TRUE(queue.front().empty());
  return result;
}

TEST(ByteQueue, GivesBackWhatWasAppended) {
  for (const size_t size : {size_t{0}, size_t{1}, size_t{100}, ByteQueue::kBlockBytes,
                            ByteQueue::kBlockBytes + 1, size_t{100'000}}) {
    for (const size_t step : {size_t{13}, size_t{ByteQueue::kBlockBytes}, size_t{1'000'000}}) {
      ByteQueue queue;
      const std::string text = pattern(size);
      queue.append(std::string_view(text).substr(0, size / 3));
      queue.append(std::string_view(text).substr(size / 3));
      EXPECT_EQ(queue.size(), size);
      EXPECT_EQ(queue.toString(), text);
      EXPECT_EQ(drain(queue, step), text);
    }
  }
}

TEST(ByteQueue, SerialisesInPlace) {
  ByteQueue queue;
  std::string expected;
  for (int i = 0; i < 500; ++i) {
    const std::string piece = pattern(1 + (static_cast<size_t>(i) * 131) % 3000);
    char* const at = queue.reserve(3000);
    piece.copy(at, piece.size());
    queue.commit(piece.size());
    expected += piece;
  }
  char* const whole = queue.reserve(ByteQueue::kBlockBytes);
  std::memset(whole, 'w', ByteQueue::kBlockBytes);
  queue.commit(ByteQueue::kBlockBytes);
  expected.append(ByteQueue::kBlockBytes, 'w');
  EXPECT_EQ(queue.toString(), expected);
}

TEST(ByteQueue, UnusedReservationsLeaveNoHole) {
  ByteQueue queue;
  queue.append(pattern(ByteQueue::kBlockBytes - 10));
  queue.reserve(100);  // a new block, nothing committed
  queue.commit(0);
  ByteQueue other;
  other.append("tail");
  queue.moveFrom(other);
  const std::string expected = pattern(ByteQueue::kBlockBytes - 10) + "tail";
  EXPECT_EQ(queue.toString(), expected);
  iovec vectors[4];
  EXPECT_EQ(queue.peek(vectors, 4), 2);
  EXPECT_EQ(drain(queue, 1'000'000), expected);

  queue.reserve(10);
  EXPECT_TRUE(queue.front().empty());
  EXPECT_EQ(queue.peek(vectors, 4), 0);
  queue.append("x");
  EXPECT_EQ(queue.toString(), "x");
}

TEST(ByteQueue, PeeksAtMostAsManyVectorsAsThereIsRoomFor) {
  ByteQueue queue;
  const std::string text = pattern(ByteQueue::kBlockBytes * 3);
  queue.append(text);
  iovec vectors[8];
  EXPECT_EQ(queue.peek(vectors, 2), 2);
  ASSERT_EQ(queue.peek(vectors, 8), 3);
  queue.consume(5);
  ASSERT_EQ(queue.peek(vectors, 8), 3);
  std::string joined;
  for (int i = 0; i < 3; ++i) {
    joined.append(static_cast<const char*>(vectors[i].iov_base), vectors[i].iov_len);
  }
  EXPECT_EQ(joined, text.substr(5));
}

TEST(ByteQueue, MovesWithoutCopying) {
  ByteQueue from;
  from.append(pattern(40'000));
  const char* const first_byte = from.front().data();
  ByteQueue to;
  to.moveFrom(from);
  EXPECT_TRUE(from.empty());
  EXPECT_EQ(to.front().data(), first_byte);
  EXPECT_EQ(to.toString(), pattern(40'000));
  to.moveFrom(from);
  EXPECT_EQ(to.size(), 40'000u);
  from.append("again");
  EXPECT_EQ(from.toString(), "again");

  ByteQueue constructed(std::move(to));
  EXPECT_EQ(constructed.size(), 40'000u);
  constructed.clear();
  EXPECT_TRUE(constructed.empty());
}

class Watched {
 public:
  explicit Watched(size_t high) {
    queue.setWatermarks(high,
                        {[](void* self) { static_cast<Watched*>(self)->log += "high "; },
                         [](void* self) { static_cast<Watched*>(self)->log += "low "; }, this});
  }
  ByteQueue queue;
  std::string log;
};

TEST(ByteQueueWatermarks, TellOnceAboveHighAndOnceBelowHalf) {
  Watched w(100);
  w.queue.append(pattern(100));
  EXPECT_EQ(w.log, "");
  EXPECT_FALSE(w.queue.aboveHigh());
  w.queue.append("x");
  EXPECT_EQ(w.log, "high ");
  EXPECT_TRUE(w.queue.aboveHigh());
  w.queue.append(pattern(500));
  w.queue.consume(550);
  EXPECT_EQ(w.log, "high ");
  w.queue.consume(1);
  EXPECT_EQ(w.log, "high low ");
  EXPECT_FALSE(w.queue.aboveHigh());
  std::memcpy(w.queue.reserve(200), pattern(200).data(), 200);
  w.queue.commit(200);
  EXPECT_EQ(w.log, "high low high ");
  w.queue.clear();
  EXPECT_EQ(w.log, "high low high low ");
}

TEST(ByteQueueWatermarks, MovingCountsOnBothSides) {
  Watched from(10);
  Watched to(10);
  from.queue.append(pattern(11));
  to.queue.moveFrom(from.queue);
  EXPECT_EQ(from.log, "high low ");
  EXPECT_EQ(to.log, "high ");
}

TEST(ByteQueueWatermarks, NewLimitTakesEffectAtOnce) {
  Watched w(0);
  w.queue.append(pattern(1000));
  EXPECT_EQ(w.log, "");
  Watched* const self = &w;
  const auto high = [](void* at) { static_cast<Watched*>(at)->log += "high "; };
  const auto low = [](void* at) { static_cast<Watched*>(at)->log += "low "; };
  w.queue.setWatermarks(999, {high, low, self});
  EXPECT_EQ(w.log, "high ");
  w.queue.setWatermarks(5000, {high, low, self});
  EXPECT_EQ(w.log, "high low ");
  w.queue.setWatermarks(10, {});
  EXPECT_TRUE(w.queue.aboveHigh());
  w.queue.setWatermarks(0, {high, low, self});
  EXPECT_EQ(w.log, "high low low ");
}

TEST(ByteQueueWatermarks, CallbackMayAppend) {
  struct Refill {
    ByteQueue queue;
    int refills = 0;
  } refill;
  refill.queue.setWatermarks(10, {nullptr,
                                  [](void* at) {
                                    auto& self = *static_cast<Refill*>(at);
                                    if (++self.refills < 3) self.queue.append(pattern(20));
                                  },
                                  &refill});
  refill.queue.append(pattern(20));
  refill.queue.consume(20);
  EXPECT_EQ(refill.queue.size(), 20u);
  refill.queue.consume(20);
  refill.queue.consume(20);
  EXPECT_EQ(refill.refills, 3);
  EXPECT_TRUE(refill.queue.empty());
}

TEST(ByteQueueDeathTest, RefusesWhatCannotBe) {
  ByteQueue queue;
  queue.append("ab");
  EXPECT_DEATH(queue.consume(3), "n <= size_");
  EXPECT_DEATH(queue.reserve(ByteQueue::kBlockBytes + 1), "kBlockBytes");
  EXPECT_DEATH(queue.commit(ByteQueue::kBlockBytes), "commit|tail_");
}

}  // namespace
}  // namespace convoy::net
