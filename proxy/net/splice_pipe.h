#pragma once

// The kernel's pipes that carry bytes from socket to socket (splice(2)) so that they never come
// into this process. Each thread keeps a few empty ones for the next who needs one; a pipe that
// still holds bytes when it is given back is closed. Belongs to one thread, like its sockets.
//
// There may be none: of kMostPipes a thread, of the share of descriptors that all threads have
// together, or of the pages that the kernel lets a user have in pipes (pipe-user-pages-soft).
// Whoever gets none copies instead. When the kernel has refused one, it is not asked again for as
// many takes as 1, 2, 4, ... kMostRefused.
//
// splice(2) knows no MSG_NOSIGNAL: SIGPIPE must be ignored (server/signals.h).

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace convoy::net {

class SplicePipe {
 public:
  // How much one takes at most. Twice that gained nothing; the kernel's default, a quarter of it,
  // cost a tenth more.
  static constexpr size_t kCapacity = 256 * 1024;
  // Open at a time on a thread: a client that does not read holds one.
  static constexpr size_t kMostPipes = 256;
  // Of the process: pipes, of two descriptors each, take at most a sixteenth of those that it may
  // open, in equal parts for its threads.
  static constexpr size_t kDescriptorsPerPipe = 32;
  static constexpr size_t kMostSpare = 16;
  static constexpr uint32_t kMostRefused = 1024;

  struct GiveBack {
    void operator()(SplicePipe* pipe) const;
  };
  using Ptr = std::unique_ptr<SplicePipe, GiveBack>;

  // How many threads share the process's pipes (1 unless said). Before the first take() of any.
  static void shareAmong(size_t threads);
  // Of one thread, by what the process may open.
  static size_t mostOf(uint64_t descriptors, size_t threads);
  // An empty one, or null.
  static Ptr take();
  static size_t openForTest();

  ~SplicePipe();
  SplicePipe(const SplicePipe&) = delete;
  SplicePipe& operator=(const SplicePipe&) = delete;

  // Both return how many bytes moved, or -errno; -EAGAIN: the socket is not ready.
  // REQUIRES: empty(). 0: the stream's end.
  ssize_t fill(int socket, size_t most);
  // REQUIRES: not empty().
  ssize_t drain(int socket);
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // The mark of whoever holds it: how many bytes go before those in the pipe.
  size_t behind = 0;

 private:
  struct Store;

  SplicePipe(int read_end, int write_end) : read_end_(read_end), write_end_(write_end) {}
  static Store& store();
  static SplicePipe* open();

  const int read_end_;
  const int write_end_;
  size_t size_ = 0;
  SplicePipe* next_ = nullptr;  // spare ones
};

}  // namespace convoy::net
