#include "proxy/http/h1_client_codec.h"

#include "proxy/base/assert.h"
#include "proxy/base/strings.h"

namespace convoy::http {

H1ClientCodec::H1ClientCodec(ClientCodecHandler& handler, const H1Limits& limits)
    : handler_(handler), limits_(limits), body_reader_(limits), pause_(handler) {}

void H1ClientCodec::transition(Receiving to) {
  // Idle -> Head -> [Body ->] Complete -> Idle, and from anywhere to Dead.
  CONVOY_ASSERT(to == Receiving::Dead || (to == Receiving::Head && receiving_ == Receiving::Idle) ||
                (to == Receiving::Body && receiving_ == Receiving::Head) ||
                (to == Receiving::Complete &&
                 (receiving_ == Receiving::Head || receiving_ == Receiving::Body)) ||
                (to == Receiving::Idle && receiving_ == Receiving::Complete));
  receiving_ = to;
}

void H1ClientCodec::transition(Sending to) {
  // None -> Head -> [Body ->] Complete -> None, and from anywhere to None.
  CONVOY_ASSERT(to == Sending::None || (to == Sending::Head && sending_ == Sending::None) ||
                (to == Sending::Body && sending_ == Sending::Head) ||
                (to == Sending::Complete && sending_ == Sending::Body));
  sending_ = to;
}

RequestSender& H1ClientCodec::newStream(ResponseReceiver& receiver) {
  CONVOY_ASSERT(idle() && !must_close_);
  transition(Receiving::Head);
  transition(Sending::Head);
  receiver_ = &receiver;
  informational_ = 0;
  is_head_ = is_connect_ = wants_upgrade_ = is_tunnel_ = false;
  return *this;
}

// --- receiving ---

void H1ClientCodec::dispatch(std::string_view bytes) {
  CONVOY_ASSERT(!dispatching_);
  dispatching_ = true;
  while (!bytes.empty()) {
    switch (receiving_) {
      case Receiving::Head:
        // A server that answers before it was asked answers somebody else.
        if (sending_ == Sending::Head) {
          fail(H1Error::UnsolicitedResponse);
        } else {
          readHead(bytes);
        }
        break;
      case Receiving::Body:
        readBody(bytes);
        break;
      case Receiving::Idle:
        fail(H1Error::UnsolicitedResponse);
        break;
      case Receiving::Complete:
        must_close_ = true;
        bytes = {};
        break;
      case Receiving::Dead:
        bytes = {};
        break;
    }
  }
  dispatching_ = false;
}

void H1ClientCodec::readHead(std::string_view& bytes) {
  H1ResponseParser fresh(limits_);
  H1ResponseParser* done = nullptr;
  switch (head_reader_.read(fresh, bytes, &done)) {
    case H1Progress::Incomplete:
      return;
    case H1Progress::Error:
      return fail(done->error());
    case H1Progress::Complete:
      break;
  }
  const uint16_t status = done->head.status;
  if (status == 101 && !wants_upgrade_) return fail(H1Error::UnexpectedUpgrade);
  if (status < 200 && status != 101) {
    if (++informational_ > limits_.max_informational) return fail(H1Error::TooManyInformational);
    done->head.body = {};
    receiver_->onInformational(done->head);
  } else {
    onFinalHead(*done, !bytes.empty());
  }
  head_reader_.clear();
}

void H1ClientCodec::onFinalHead(H1ResponseParser& parsed, bool more_bytes) {
  if (parsed.closes()) must_close_ = true;
  const bool has_body = startBody(parsed);
  if (parsed.head.status == 204) parsed.head.body = {};
  if (body_reader_.untilClose()) parsed.head.body = {BodyLength::Kind::Unknown, 0};
  if (has_body) {
    transition(Receiving::Body);
  } else {
    completeReceiving(more_bytes);
  }
  receiver_->onResponseHead(parsed.head, !has_body);
  completeStreamIfBothEnded();
}

// The rules of RFC 9112 6.3, in their order. False if there is no body.
bool H1ClientCodec::startBody(const H1ResponseParser& parsed) {
  const ResponseHead& head = parsed.head;
  const bool tunnel = head.status == 101 || (is_connect_ && head.status / 100 == 2);
  if (!tunnel) {
    if (is_head_ || head.status == 204 || head.status == 304) return false;
    if (parsed.chunked()) {
      body_reader_.startChunked();
      return true;
    }
    if (parsed.hasContentLength()) {
      if (head.body.bytes > 0) body_reader_.startKnown(head.body.bytes);
      return head.body.bytes > 0;
    }
  }
  if (tunnel) {
    openTunnel();
  } else {
    must_close_ = true;
    body_reader_.startUntilClose();
  }
  return true;
}

void H1ClientCodec::openTunnel() {
  must_close_ = true;
  is_tunnel_ = true;
  body_reader_.startUntilClose();
  if (sending_ == Sending::Complete) handler_.endSending();
}

void H1ClientCodec::readBody(std::string_view& bytes) {
  H1TrailerParser scratch(limits_);
  const H1BodyReader::Step step = body_reader_.next(bytes, scratch);
  switch (step.event) {
    case H1BodyReader::Event::NeedMore:
      return;
    case H1BodyReader::Event::Data:
      if (!step.last) {
        // A piece that is large itself: others wait, or a fast peer sends.
        const bool large = step.data.size() >= H1BodyWriter::kLargePiece;
        if (large && body_reader_.left() >= H1BodyReader::kMuch) handler_.expectBody();
        return receiver_->onResponseBody(step.data, false);
      }
      completeReceiving(!bytes.empty());
      receiver_->onResponseBody(step.data, true);
      break;
    case H1BodyReader::Event::End:
      completeReceiving(!bytes.empty());
      receiver_->onResponseBody({}, true);
      break;
    case H1BodyReader::Event::Trailers:
      completeReceiving(!bytes.empty());
      receiver_->onResponseTrailers(body_reader_.trailers());
      break;
    case H1BodyReader::Event::Error:
      return fail(body_reader_.error());
  }
  body_reader_.finish();
  completeStreamIfBothEnded();
}

net::SpliceResult H1ClientCodec::spliceBody(net::Connection& from) {
  CONVOY_ASSERT(!dispatching_);
  if (receiving_ != Receiving::Body || body_reader_.left() == 0) return {};
  dispatching_ = true;
  const net::SpliceResult result = receiver_->spliceResponseBody(from, body_reader_.left());
  body_reader_.skip(result.bytes);
  if (result.bytes > 0 && body_reader_.left() == 0) {
    completeReceiving(false);
    receiver_->onResponseBody({}, true);
    body_reader_.finish();
    completeStreamIfBothEnded();
  }
  dispatching_ = false;
  return result;
}

void H1ClientCodec::completeReceiving(bool more_bytes) {
  transition(Receiving::Complete);
  pause_.clear();
  // Bytes behind the response belong to nobody, and a server that did not wait for the whole
  // request may never read the rest of it, which would be in the next one's way.
  if (more_bytes || sending_ != Sending::Complete || handler_.unsent()) must_close_ = true;
}

void H1ClientCodec::fail(H1Error error) {
  ResponseReceiver* const receiver = abandonStream();
  if (receiver != nullptr) receiver->onResponseReset(Failure::UpstreamProtocolError);
  handler_.onProtocolError(Failure::UpstreamProtocolError, info(error).detail);
}

void H1ClientCodec::onEndOfStream() {
  must_close_ = true;
  if (receiving_ == Receiving::Body && body_reader_.untilClose()) {
    completeReceiving(false);
    receiver_->onResponseBody({}, true);
    body_reader_.finish();
    completeStreamIfBothEnded();
  } else if (receiving_ == Receiving::Head || receiving_ == Receiving::Body) {
    onConnectionLost(Failure::UpstreamReset);
  }
}

void H1ClientCodec::onConnectionLost(Failure why) {
  const Failure failure = lossAsSeen(why);
  ResponseReceiver* const receiver = abandonStream();
  if (receiver != nullptr) receiver->onResponseReset(failure);
}

// Behind the response head a lost connection cannot be answered, or retried, any more.
Failure H1ClientCodec::lossAsSeen(Failure why) const {
  const bool head_is_out = receiving_ == Receiving::Body || receiving_ == Receiving::Complete;
  return why == Failure::UpstreamReset && head_is_out ? Failure::UpstreamAbortedBody : why;
}

// Forgets everything; nothing more is read or sent. Returns who was waiting, or null.
ResponseReceiver* H1ClientCodec::abandonStream() {
  ResponseReceiver* const receiver = receiver_;
  transition(Receiving::Dead);
  transition(Sending::None);
  must_close_ = true;
  receiver_ = nullptr;
  pause_.clear();
  // A callback may be running on views into what a reader holds: it is freed with the codec.
  if (!dispatching_) {
    head_reader_.clear();
    body_reader_.finish();
  }
  return receiver;
}

// --- sending ---

H1Framing H1ClientCodec::startRequest(const RequestHead& head, bool end_of_stream) {
  using Mode = H1BodyWriter::Mode;
  using Kind = H1Framing::Kind;
  body_writer_.start(Mode::Nothing);
  if (is_connect_ || (wants_upgrade_ && head.body.kind == BodyLength::Kind::None)) {
    // What follows is no body: it goes as it is once the server has agreed.
    must_close_ = true;
    body_writer_.start(Mode::UntilClose);
    return {};
  }
  if (end_of_stream) {
    // RFC 9110 8.6: a length is expected with methods that give a body a meaning.
    const bool say_zero = head.body.kind == BodyLength::Kind::Known ||
                          base::equals(head.method, "POST") || base::equals(head.method, "PUT") ||
                          base::equals(head.method, "PATCH");
    return say_zero ? H1Framing{Kind::ContentLength, 0} : H1Framing{};
  }
  if (head.body.kind == BodyLength::Kind::Known) {
    body_writer_.start(Mode::Known, head.body.bytes);
    return {Kind::ContentLength, head.body.bytes};
  }
  body_writer_.start(Mode::Chunked);
  return {Kind::Chunked, 0};
}

void H1ClientCodec::sendHead(const RequestHead& head, bool end_of_stream) {
  CONVOY_ASSERT(sending_ == Sending::Head);
  is_head_ = base::equals(head.method, "HEAD");
  is_connect_ = base::equals(head.method, "CONNECT");
  wants_upgrade_ = !head.upgrade.empty();
  if (head.raw_tunnel) {
    is_connect_ = true;
    transition(Sending::Body);
    transition(Receiving::Body);
    body_writer_.start(H1BodyWriter::Mode::UntilClose);
    openTunnel();
    if (end_of_stream) completeSending();
    return;
  }
  const H1Framing framing = startRequest(head, end_of_stream);
  transition(Sending::Body);
  fields_left_out_ += writeRequestHead(handler_.output(), head, framing);
  if (end_of_stream) completeSending();
}

void H1ClientCodec::sendBody(std::string_view bytes, bool end_of_stream) {
  CONVOY_ASSERT(sending_ == Sending::Body);
  if (bytes.size() >= H1BodyWriter::kLargePiece && body_writer_.unframed(bytes.size())) {
    const size_t sent = handler_.sendNow(bytes);
    body_writer_.skip(sent);
    bytes.remove_prefix(sent);
  }
  if (!body_writer_.write(handler_.output(), bytes, end_of_stream)) must_close_ = true;
  if (end_of_stream) completeSending();
}

net::SpliceResult H1ClientCodec::sendBodyOf(net::Connection& from, uint64_t most) {
  if (sending_ != Sending::Body || body_writer_.left() != most) return {};
  const net::SpliceResult result = handler_.spliceFrom(from, most);
  body_writer_.skip(result.bytes);
  return result;
}

void H1ClientCodec::sendTrailers(const HeaderList& trailers) {
  CONVOY_ASSERT(sending_ == Sending::Body);
  size_t left_out = 0;
  if (!body_writer_.writeTrailers(handler_.output(), trailers, &left_out)) must_close_ = true;
  fields_left_out_ += left_out;
  completeSending();
}

void H1ClientCodec::completeSending() {
  transition(Sending::Complete);
  if (is_tunnel_ && receiving_ == Receiving::Body) handler_.endSending();
  // While a callback brings the response's end, its return completes the stream.
  if (!dispatching_) completeStreamIfBothEnded();
}

void H1ClientCodec::completeStreamIfBothEnded() {
  if (sending_ != Sending::Complete || receiving_ != Receiving::Complete) return;
  transition(Receiving::Idle);
  transition(Sending::None);
  receiver_ = nullptr;
  told_above_high_ = false;
  handler_.onStreamComplete(*this);
}

void H1ClientCodec::reset(Failure) {
  const bool ended = sending_ == Sending::Complete && receiving_ == Receiving::Complete;
  if (receiver_ != nullptr && !ended) abandonStream();
}

void H1ClientCodec::pauseReceiving() {
  if (receiving_ == Receiving::Head || receiving_ == Receiving::Body) pause_.pause();
}

void H1ClientCodec::onOutputAboveHigh() {
  if (receiver_ == nullptr || told_above_high_) return;
  told_above_high_ = true;
  receiver_->onSendQueueAboveHigh();
}

void H1ClientCodec::onOutputBelowLow() {
  if (receiver_ == nullptr || !told_above_high_) return;
  told_above_high_ = false;
  receiver_->onSendQueueBelowLow();
}

}  // namespace convoy::http
