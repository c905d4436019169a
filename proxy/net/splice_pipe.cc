#include "proxy/net/splice_pipe.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "proxy/base/assert.h"

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

size_t mostPipes() {
  rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t share = limit.rlim_cur / SplicePipe::kShareOfDescriptors;
  return static_cast<size_t>(std::min<rlim_t>(share, SplicePipe::kMostPipes));
}

}  // namespace

struct SplicePipe::Store {
  ~Store() {
    while (spare != nullptr) delete std::exchange(spare, spare->next_);
  }
  SplicePipe* spare = nullptr;
  size_t spare_count = 0;
  size_t open_count = 0;
  const size_t most = mostPipes();
};

SplicePipe::Store& SplicePipe::store() {
  static thread_local Store store;
  return store;
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
  SplicePipe* const pipe = open();
  if (pipe != nullptr) ++s.open_count;
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
