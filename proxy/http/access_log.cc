#include "proxy/http/access_log.h"

namespace convoy::http {

event::WallTime WallTimeCache::at(event::MonotonicTime time) {
  const auto age = time - read_at_;
  if (wall_ == event::WallTime{} || age > std::chrono::seconds(1) ||
      age < -std::chrono::seconds(1)) {
    read_at_ = clock_.monotonicNow();
    wall_ = clock_.wallNow();
  }
  return wall_ + (time - read_at_);
}

void AccessLogger::log(const RequestHead& request, const ResponseHead& response,
                       const StreamInfo& info) {
  const LogRecord record{request, response, info, wall_.at(info.started)};
  char* const line = sink_->reserve(kMaxLineBytes);
  const auto render = [&](size_t most_of_value) {
    LineBuffer out(line, kMaxLineBytes);
    format_->render(record, out, most_of_value);
    return out.size();
  };
  size_t size = render(LogFormat::kWhole);
  if (size > kMaxWholeBytes) size = render(kMostOfValue);
  if (size == kMaxLineBytes) line[kMaxLineBytes - 1] = '\n';
  sink_->commit(size);
}

}  // namespace convoy::http
