#pragma once

// Cuts fuzz input into reads, in ways that depend on nothing but the input.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace convoy::fuzz {

// Whole; byte by byte; and some random pieces of 1 to 64 bytes. Calls run(feed_all) for each way,
// where feed_all(feed) calls feed(piece) for each piece.
template <typename Run>
void forSomeSplits(std::string_view bytes, Run&& run) {
  run([bytes](auto&& feed) { feed(bytes); });
  run([bytes](auto&& feed) {
    for (size_t i = 0; i < bytes.size(); ++i) feed(bytes.substr(i, 1));
  });
  uint64_t state = 88172645463325252U;
  for (const char c : bytes) state = (state ^ static_cast<unsigned char>(c)) * 1099511628211U;
  for (int way = 0; way < 2; ++way) {
    run([bytes, &state](auto&& feed) {
      for (size_t at = 0; at < bytes.size();) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        const size_t piece = 1 + (state >> 58);
        feed(bytes.substr(at, piece));
        at += piece;
      }
    });
  }
}

}  // namespace convoy::fuzz
