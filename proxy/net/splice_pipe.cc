#include "proxy/net/splice_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/base/descriptor_limit.h"

namespace convoy::net {

namespace {

// Above its share of pages a user gets pipes of two pages, which are worth nothing.
constexpr int kLeastCapacity = 64 * 1024;

ssize_t move(int from, int to, size_t most) {
  ssize_t moved = 0;
  do {
    moved = ::splice(from, nullptr, to, nullptr, most, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  } while (moved < 0 && errno == EINTR);
  return moved < 0 ? -errno : moved;
}

std::atomic<size_t> sharing_threads{1};

size_t mostPipes() {
  return SplicePipe::mostOf(base::descriptorLimit(),
                            sharing_threads.load(std::memory_order_relaxed));
}

}  // namespace

struct SplicePipe::Store {
  ~Store() {
    while (spare != nullptr) delete std::exchange(spare, spare->next_);
  }
  SplicePipe* spare = nullptr;
  size_t spare_count = 0;
  size_t open_count = 0;
  uint32_t refusals = 0;  // how many takes are still refused without asking the kernel
  uint32_t penalty = 0;   // how many were, after its last refusal
  const size_t most = mostPipes();
};

SplicePipe::Store& SplicePipe::store() {
  static thread_local Store store;
  return store;
}

void SplicePipe::shareAmong(size_t threads) {
  sharing_threads.store(std::max<size_t>(threads, 1), std::memory_order_relaxed);
}

size_t SplicePipe::mostOf(uint64_t descriptors, size_t threads) {
  return static_cast<size_t>(
      std::min<uint64_t>(descriptors / kDescriptorsPerPipe / threads, kMostPipes));
}

SplicePipe::~SplicePipe() {
  ::close(read_end_);
  ::close(write_end_);
}

SplicePipe* SplicePipe::open() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return nullptr;
  auto* const pipe = new SplicePipe(ends[0], ends[1]);
  if (::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(kCapacity)) >= 0) return pipe;
  if (::fcntl(ends[1], F_GETPIPE_SZ) >= kLeastCapacity) return pipe;
  delete pipe;
  return nullptr;
}

SplicePipe::Ptr SplicePipe::take() {
  Store& s = store();
  if (s.spare != nullptr) {
    --s.spare_count;
    SplicePipe* const pipe = std::exchange(s.spare, s.spare->next_);
    pipe->next_ = nullptr;
    return Ptr(pipe);
  }
  if (s.open_count >= s.most) return nullptr;
  if (s.refusals > 0) {
    --s.refusals;
    return nullptr;
  }
  SplicePipe* const pipe = open();
  if (pipe == nullptr) {
    s.penalty = std::clamp(2 * s.penalty, uint32_t{1}, kMostRefused);
    s.refusals = s.penalty;
    return nullptr;
  }
  s.penalty = 0;
  ++s.open_count;
  return Ptr(pipe);
}

void SplicePipe::GiveBack::operator()(SplicePipe* pipe) const {
  Store& s = store();
  if (pipe->empty() && s.spare_count < kMostSpare) {
    ++s.spare_count;
    pipe->next_ = std::exchange(s.spare, pipe);
    return;
  }
  --s.open_count;
  delete pipe;
}

size_t SplicePipe::openForTest() {
  return store().open_count;
}

ssize_t SplicePipe::fill(int socket, size_t most) {
  CONVOY_ASSERT(empty());
  const ssize_t moved = move(socket, write_end_, most);
  if (moved > 0) size_ = static_cast<size_t>(moved);
  return moved;
}

ssize_t SplicePipe::drain(int socket) {
  CONVOY_ASSERT(!empty());
  const ssize_t moved = move(read_end_, socket, size_);
  if (moved > 0) size_ -= static_cast<size_t>(moved);
  return moved;
}

}  // namespace convoy::net
