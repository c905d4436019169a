#include "proxy/server/hello_reader.h"

#include <utility>

namespace convoy::server {

void HelloReader::start(std::unique_ptr<net::Connection> connection, event::DeadlineQueue* limit) {
  connection_ = std::move(connection);
  if (limit != nullptr) deadline_.arm(*limit);
}

void HelloReader::onRead(std::string_view bytes) {
  if (done_) return;
  if (!held_.empty()) held_.append(bytes);
  bytes_ = held_.empty() ? bytes : std::string_view(held_);
  hello_ = tls::readClientHello(bytes_);
  switch (hello_.verdict) {
    case tls::ClientHello::Verdict::Incomplete:
      if (held_.empty()) held_ = bytes;
      bytes_ = {};
      return;
    case tls::ClientHello::Verdict::Complete:
    case tls::ClientHello::Verdict::NotTls:
      return finish(End::Read);
    case tls::ClientHello::Verdict::Invalid:
      return finish(End::Invalid);
  }
}

void HelloReader::onDeadline(void* self) {
  auto& reader = *static_cast<HelloReader*>(self);
  const event::Loop::TurnScope turn(reader.connection_->loop());
  reader.bytes_ = reader.held_;
  reader.finish(End::TimedOut);
}

void HelloReader::finish(End end) {
  if (done_) return;
  done_ = true;
  deadline_.cancel();
  owner_.onHello(*this, end);
}

}  // namespace convoy::server
