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
  char* line = sink_->reserve(kMaxLineBytes);
  LineBuffer out(line, kMaxLineBytes);
  format_->render({request, response, info, wall_.at(info.started)}, out);
  if (out.size() == kMaxLineBytes) line[kMaxLineBytes - 1] = '\n';
  sink_->commit(out.size());
}

}  // namespace convoy::http
