#include "proxy/redis/command.h"

#include <hiredis/hiredis.h>

#include <array>

#include "proxy/base/assert.h"

namespace convoy::redis {

void appendCommand(Words words, net::ByteQueue& to) {
  CONVOY_ASSERT(words.size() > 0 && words.size() <= kMostWords);
  std::array<const char*, kMostWords> texts;
  std::array<size_t, kMostWords> sizes;
  size_t count = 0;
  for (const std::string_view word : words) {
    texts[count] = word.data();
    sizes[count++] = word.size();
  }
  char* command = nullptr;
  const int size =
      redisFormatCommandArgv(&command, static_cast<int>(count), texts.data(), sizes.data());
  CONVOY_ASSERT(size > 0);
  to.append({command, static_cast<size_t>(size)});
  redisFreeCommand(command);
}

}  // namespace convoy::redis
