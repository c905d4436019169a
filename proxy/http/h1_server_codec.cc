#include "proxy/http/h1_server_codec.h"

#include "proxy/base/assert.h"
#include "proxy/base/strings.h"

namespace convoy::http {

H1ServerCodec::H1ServerCodec(ServerCodecHandler& handler, const H1Limits& limits,
                             std::string_view scheme)
    : handler_(handler), limits_(limits), scheme_(scheme), body_reader_(limits), pause_(handler) {}

void H1ServerCodec::transition(Receiving to) {
  // Head -> [Body ->] Complete -> Head, and from anywhere to Dead.
  CONVOY_ASSERT(to == Receiving::Dead || (to == Receiving::Body && receiving_ == Receiving::Head) ||
                (to == Receiving::Complete && receiving_ <= Receiving::Body) ||
                (to == Receiving::Head && receiving_ == Receiving::Complete));
  receiving_ = to;
}

void H1ServerCodec::transition(Sending to) {
  // None -> Head -> [Body ->] Complete -> None, and from anywhere to None.
  CONVOY_ASSERT(
      to == Sending::None || (to == Sending::Head && sending_ == Sending::None) ||
      (to == Sending::Body && sending_ == Sending::Head) ||
      (to == Sending::Complete && (sending_ == Sending::Head || sending_ == Sending::Body)));
  sending_ = to;
}

bool H1ServerCodec::idle() const {
  return sending_ == Sending::None && !head_reader_.partial();
}

// --- receiving ---

size_t H1ServerCodec::dispatch(std::string_view bytes) {
  CONVOY_ASSERT(!dispatching_);
  dispatching_ = true;
  const size_t given = bytes.size();
  while (!bytes.empty() && receiving_ != Receiving::Complete) {
    switch (receiving_) {
      case Receiving::Head:
        readHead(bytes);
        break;
      case Receiving::Body:
        readBody(bytes);
        break;
      case Receiving::Complete:
      case Receiving::Dead:
        bytes = {};
        break;
    }
    // A client that asks for more than it reads waits, or its answers would pile up.
    if (!bytes.empty() && betweenRequests() && handler_.output().aboveHigh()) break;
  }
  dispatching_ = false;
  return given - bytes.size();
}

void H1ServerCodec::readHead(std::string_view& bytes) {
  H1RequestParser fresh(limits_, scheme_, after_empty_line_);
  H1RequestParser* done = nullptr;
  switch (head_reader_.read(fresh, bytes, &done)) {
    case H1Progress::Incomplete:
      after_empty_line_ = !head_reader_.partial();
      return;
    case H1Progress::Error:
      return fail(done->error());
    case H1Progress::Complete:
      after_empty_line_ = false;
      startStream(done->head);
      head_reader_.clear();
      return;
  }
}

void H1ServerCodec::startStream(RequestHead& head) {
  is_head_ = base::equals(head.method, "HEAD");
  is_connect_ = base::equals(head.method, "CONNECT");
  is_http10_ = head.protocol == Protocol::Http10;
  keep_alive_ = head.wants_keep_alive;
  awaits_continue_ = head.expects_continue;
  if (is_connect_ || isOfferOnly(head.upgrade)) head.upgrade = {};
  wants_tunnel_ = asksForTunnel(head);
  if (wants_tunnel_) {
    // Some clients say of every request how long its body is.
    if (head.body.kind == BodyLength::Kind::Known && head.body.bytes == 0) head.body = {};
    wants_tunnel_ = head.body.kind == BodyLength::Kind::None;
  }
  is_tunnel_ = false;
  bool complete = false;
  if (head.body.kind == BodyLength::Kind::Unknown) {
    body_reader_.startChunked();
  } else if (head.body.bytes > 0) {
    body_reader_.startKnown(head.body.bytes);
  } else if (wants_tunnel_) {
    body_reader_.startUntilClose();
  } else {
    complete = true;
  }
  transition(complete ? Receiving::Complete : Receiving::Body);
  transition(Sending::Head);
  receiver_ = &handler_.newStream(*this);
  receiver_->onRequestHead(head, complete);
  // The queue may still be full of responses to the requests before.
  if (handler_.output().aboveHigh()) onOutputAboveHigh();
}

void H1ServerCodec::readBody(std::string_view& bytes) {
  H1TrailerParser scratch(limits_);
  const H1BodyReader::Step step = body_reader_.next(bytes, scratch);
  switch (step.event) {
    case H1BodyReader::Event::NeedMore:
      return;
    case H1BodyReader::Event::Data:
      awaits_continue_ = false;
      if (!step.last) {
        // A piece that is large itself: others wait, or a fast peer sends.
        const bool large = step.data.size() >= H1BodyWriter::kLargePiece;
        if (large && body_reader_.left() >= H1BodyReader::kMuch) handler_.expectBody();
        return receiver_->onRequestBody(step.data, false);
      }
      completeReceiving();
      receiver_->onRequestBody(step.data, true);
      break;
    case H1BodyReader::Event::End:
      completeReceiving();
      receiver_->onRequestBody({}, true);
      break;
    case H1BodyReader::Event::Trailers:
      completeReceiving();
      receiver_->onRequestTrailers(body_reader_.trailers());
      break;
    case H1BodyReader::Event::Error:
      return fail(body_reader_.error());
  }
  body_reader_.finish();
  completeStreamIfBothEnded();
}

net::SpliceResult H1ServerCodec::spliceBody(net::Connection& from) {
  CONVOY_ASSERT(!dispatching_);
  if (receiving_ != Receiving::Body || body_reader_.left() == 0) return {};
  dispatching_ = true;
  const net::SpliceResult result = receiver_->spliceRequestBody(from, body_reader_.left());
  body_reader_.skip(result.bytes);
  if (result.bytes > 0 && body_reader_.left() == 0) {
    completeReceiving();
    receiver_->onRequestBody({}, true);
    body_reader_.finish();
    completeStreamIfBothEnded();
  }
  dispatching_ = false;
  return result;
}

void H1ServerCodec::completeReceiving() {
  transition(Receiving::Complete);
  pause_.clear();
}

void H1ServerCodec::fail(H1Error error) {
  const H1ErrorInfo& reason = info(error);
  const Failure failure = receiving_ == Receiving::Body ? Failure::BadBody : reason.request_failure;
  transition(Receiving::Dead);
  must_close_ = true;
  pause_.clear();
  handler_.onProtocolError(failure, reason.detail);
  head_reader_.clear();
  body_reader_.finish();
  completeStreamIfBothEnded();
}

void H1ServerCodec::onEndOfStream() {
  must_close_ = true;
  if (receiving_ == Receiving::Body) {
    if (!is_tunnel_) return onConnectionLost(Failure::DownstreamDisconnect);
    completeReceiving();
    receiver_->onRequestBody({}, true);
    body_reader_.finish();
    return completeStreamIfBothEnded();
  }
  if (receiving_ != Receiving::Head) return;
  transition(Receiving::Dead);
  head_reader_.clear();
}

void H1ServerCodec::onConnectionLost(Failure why) {
  RequestReceiver* const receiver = receiver_;
  abandonStream();
  if (receiver != nullptr) receiver->onRequestReset(why);
}

// Forgets everything; nothing more is read or sent.
void H1ServerCodec::abandonStream() {
  transition(Receiving::Dead);
  transition(Sending::None);
  must_close_ = true;
  receiver_ = nullptr;
  pause_.clear();
  // A callback may be running on views into what a reader holds: it is freed with the codec.
  if (dispatching_) return;
  head_reader_.clear();
  body_reader_.finish();
}

// --- sending ---

ResponseSender* H1ServerCodec::senderForError() {
  if (sending_ != Sending::None) return nullptr;
  transition(Receiving::Dead);
  transition(Sending::Head);
  must_close_ = true;
  is_head_ = is_connect_ = is_http10_ = keep_alive_ = awaits_continue_ = false;
  wants_tunnel_ = is_tunnel_ = false;
  if (!dispatching_) head_reader_.clear();
  return this;
}

void H1ServerCodec::sendInformational(const ResponseHead& head) {
  CONVOY_ASSERT(sending_ == Sending::Head && head.status < 200 && head.status != 101);
  if (is_http10_) return;  // RFC 9110 15.2: it would not know them
  if (head.status == 100) awaits_continue_ = false;
  fields_left_out_ += writeResponseHead(handler_.output(), head, {}, H1Connection::Unsaid);
}

// Decides how the body is framed (RFC 9112 6.3).
H1Framing H1ServerCodec::startResponse(const ResponseHead& head, bool end_of_stream) {
  using Mode = H1BodyWriter::Mode;
  using Kind = H1Framing::Kind;
  const bool known = head.body.kind == BodyLength::Kind::Known;
  if (wants_tunnel_) {
    // Bytes of a tunnel that is not opened are no requests.
    must_close_ = true;
    is_tunnel_ = is_connect_ ? head.status / 100 == 2 : head.status == 101;
  }
  if (is_tunnel_) {
    body_writer_.start(Mode::UntilClose);
    return {};
  }
  body_writer_.start(Mode::Nothing);
  if (head.status == 204) return {};
  if (is_head_ || head.status == 304) {
    return known ? H1Framing{Kind::ContentLength, head.body.bytes} : H1Framing{};
  }
  if (end_of_stream) return {Kind::ContentLength, 0};
  if (known) {
    body_writer_.start(Mode::Known, head.body.bytes);
    return {Kind::ContentLength, head.body.bytes};
  }
  if (is_http10_) {
    must_close_ = true;
    body_writer_.start(Mode::UntilClose);
    return {};
  }
  body_writer_.start(Mode::Chunked);
  return {Kind::Chunked, 0};
}

H1Connection H1ServerCodec::decideConnection(const ResponseHead& head) {
  // Whether the body that waits for "100 Continue" comes after a final response is the client's
  // choice (RFC 9110 10.1.1): the connection cannot be read any further.
  if (!keep_alive_ || go_away_ || awaits_continue_) must_close_ = true;
  if (head.status == 101) return H1Connection::Upgrade;
  if (is_tunnel_) return H1Connection::Unsaid;
  if (body_writer_.mode() == H1BodyWriter::Mode::UntilClose) return H1Connection::Unsaid;
  if (is_http10_) return must_close_ ? H1Connection::Unsaid : H1Connection::KeepAlive;
  return must_close_ ? H1Connection::Close : H1Connection::Unsaid;
}

void H1ServerCodec::sendHead(const ResponseHead& head, bool end_of_stream) {
  CONVOY_ASSERT(sending_ == Sending::Head);
  const H1Framing framing = startResponse(head, end_of_stream);
  const H1Connection connection = decideConnection(head);
  transition(Sending::Body);
  fields_left_out_ += writeResponseHead(handler_.output(), head, framing, connection);
  if (end_of_stream) completeSending();
}

void H1ServerCodec::sendBody(std::string_view bytes, bool end_of_stream) {
  CONVOY_ASSERT(sending_ == Sending::Body);
  if (bytes.size() >= H1BodyWriter::kLargePiece && body_writer_.unframed(bytes.size())) {
    const size_t sent = handler_.sendNow(bytes);
    body_writer_.skip(sent);
    bytes.remove_prefix(sent);
  }
  if (!body_writer_.write(handler_.output(), bytes, end_of_stream)) must_close_ = true;
  if (end_of_stream) completeSending();
}

net::SpliceResult H1ServerCodec::sendBodyOf(net::Connection& from, uint64_t most) {
  if (sending_ != Sending::Body || body_writer_.left() != most) return {};
  const net::SpliceResult result = handler_.spliceFrom(from, most);
  body_writer_.skip(result.bytes);
  return result;
}

void H1ServerCodec::sendTrailers(const HeaderList& trailers) {
  CONVOY_ASSERT(sending_ == Sending::Body);
  size_t left_out = 0;
  if (!body_writer_.writeTrailers(handler_.output(), trailers, &left_out)) must_close_ = true;
  fields_left_out_ += left_out;
  completeSending();
}

void H1ServerCodec::completeSending() {
  transition(Sending::Complete);
  if (is_tunnel_ && receiving_ == Receiving::Body) handler_.endSending();
  completeStreamIfBothEnded();
}

void H1ServerCodec::completeStreamIfBothEnded() {
  if (sending_ != Sending::Complete || receiving_ < Receiving::Complete) return;
  transition(Sending::None);
  if (receiving_ == Receiving::Complete) {
    transition(must_close_ ? Receiving::Dead : Receiving::Head);
  }
  receiver_ = nullptr;
  told_above_high_ = false;
  handler_.onStreamComplete(*this);
}

void H1ServerCodec::reset(Failure) {
  if (sending_ != Sending::None) abandonStream();
}

void H1ServerCodec::pauseReceiving() {
  if (receiving_ == Receiving::Body) pause_.pause();
}

void H1ServerCodec::onOutputAboveHigh() {
  if (receiver_ == nullptr || told_above_high_) return;
  told_above_high_ = true;
  receiver_->onSendQueueAboveHigh();
}

void H1ServerCodec::onOutputBelowLow() {
  if (receiver_ == nullptr || !told_above_high_) return;
  told_above_high_ = false;
  receiver_->onSendQueueBelowLow();
}

}  // namespace convoy::http
