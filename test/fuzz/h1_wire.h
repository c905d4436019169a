#pragma once

// Reads what the HTTP/1.x codecs write, by the other role's codec, and asserts that it is what was
// to be said: no message more than were sent, nothing behind the last one, and bodies that are
// bodyBytes() without a gap.

#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/http/codec.h"
#include "proxy/http/h1_client_codec.h"
#include "test/fuzz/script.h"
#include "test/proxy/http/h1_messages.h"

namespace convoy::fuzz {

// Of the reader: nothing is too long for it.
inline constexpr http::H1Limits kWideLimits{.max_trailer_bytes = 60 * 1024};

// The server's: a response to each request, in their order.
class ResponseCheck final : private http::ClientCodecHandler, private http::ResponseReceiver {
 public:
  void expect(const http::RequestHead& request) {
    asked_.push_back({std::string(request.method), std::string(request.upgrade)});
  }
  void expect(std::string method) { asked_.push_back({std::move(method), {}}); }
  void read(std::string_view bytes) {
    // Byte by byte: what is behind a response belongs to the next one.
    for (size_t i = 0; i < bytes.size(); ++i) {
      if (codec_.idle()) ask();
      codec_.dispatch(bytes.substr(i, 1));
    }
  }

 private:
  struct Asked {
    std::string method;
    std::string upgrade;
  };

  void ask() {
    CONVOY_ASSERT(!asked_.empty() && !codec_.mustClose());
    request_ = std::move(asked_.front());
    asked_.pop_front();
    http::RequestHead head;
    head.method = request_.method;
    head.target = head.method == "CONNECT" ? "a.test:80" : "/";
    head.upgrade = request_.upgrade;
    body_ = 0;
    codec_.newStream(*this).sendHead(head, true);
    unread_.clear();
  }

  net::ByteQueue& output() override { return unread_; }
  void pauseReading() override {}
  void resumeReading() override {}
  void onStreamComplete(http::RequestSender&) override {}
  void onProtocolError(http::Failure, std::string_view) override { CONVOY_ASSERT(false); }
  void onGoAway() override {}
  void onInformational(http::ResponseHead&) override {}
  void onResponseHead(http::ResponseHead&, bool) override {}
  void onResponseBody(std::string_view bytes, bool) override {
    CONVOY_ASSERT(bytes == bodyBytes(body_, bytes.size()));
    body_ += bytes.size();
  }
  void onResponseTrailers(http::HeaderList&) override {}
  void onResponseReset(http::Failure) override { CONVOY_ASSERT(false); }
  void onSendQueueAboveHigh() override {}
  void onSendQueueBelowLow() override {}

  std::deque<Asked> asked_;
  Asked request_;
  uint64_t body_ = 0;
  net::ByteQueue unread_;
  http::H1ClientCodec codec_{*this, kWideLimits};
};

// The client's: the requests that were sent.
class RequestCheck {
 public:
  // Unsound: with an authority that is none, which a server may refuse.
  void expect(bool sound) {
    ++sent_;
    sound_ = sound_ && sound;
  }
  // What follows is no HTTP.
  void expectRaw() { raw_ = true; }
  void read(std::string_view bytes) {
    if (raw_) return;
    unread_.append(bytes);
    unread_.erase(0, received_.codec.dispatch(unread_));
    CONVOY_ASSERT(received_.requests.size() <= sent_);
    CONVOY_ASSERT(!received_.failed || !sound_);
    if (received_.requests.empty()) return;
    const std::string& body = received_.requests.back()->body;
    CONVOY_ASSERT(body == bodyBytes(0, body.size()));
  }

 private:
  http::RequestCollector received_{kWideLimits};
  std::string unread_;
  size_t sent_ = 0;
  bool sound_ = true;
  bool raw_ = false;
};

}  // namespace convoy::fuzz
