#include "proxy/http/h2_session.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "proxy/base/assert.h"

namespace convoy::http {

namespace {

constexpr uint8_t kDrainPing[8] = {'c', 'o', 'n', 'v', 'o', 'y', 'd', 'r'};
constexpr uint8_t kKeepalivePing[8] = {'c', 'o', 'n', 'v', 'o', 'y', 'k', 'a'};
// Blocks that decode to more than this are not kept room for.
constexpr size_t kKeptSectionBytes = 8 * 1024;
// How far a block may go beyond the limit before it is charged: by the KiB.
constexpr size_t kChargedBytes = 1024;

std::string_view viewOf(const uint8_t* bytes, size_t length) {
  return {reinterpret_cast<const char*>(bytes), length};
}

std::string_view viewOf(nghttp2_rcbuf* buffer) {
  const nghttp2_vec vec = nghttp2_rcbuf_get_buf(buffer);
  return viewOf(vec.base, vec.len);
}

}  // namespace

struct H2Session::Callbacks {
  static H2Session& self(void* user_data) { return *static_cast<H2Session*>(user_data); }

  static int onBeginFrame(nghttp2_session*, const nghttp2_frame_hd* frame, void* user_data) {
    return self(user_data).beginFrame(*frame);
  }
  static int onBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    return self(user_data).beginHeaders(*frame);
  }
  static int onHeader(nghttp2_session*, const nghttp2_frame*, nghttp2_rcbuf* name,
                      nghttp2_rcbuf* value, uint8_t, void* user_data) {
    H2Session& session = self(user_data);
    session.section_.add(viewOf(name), viewOf(value));
    const size_t decoded = session.section_.decodedBytes();
    if (decoded <= session.options_.max_head_bytes + session.options_.max_cookie_bytes) return 0;
    const size_t size = viewOf(name).size() + viewOf(value).size();
    return session.pay(H2Error::FloodHeaderBytes, static_cast<int64_t>(1 + size / kChargedBytes));
  }
  static int onInvalidHeader(nghttp2_session*, const nghttp2_frame*, nghttp2_rcbuf*, nghttp2_rcbuf*,
                             uint8_t, void* user_data) {
    self(user_data).section_.refuse(H2Error::InvalidField);
    return 0;
  }
  static int onFrame(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    return self(user_data).onFrame(*frame);
  }
  static int onData(nghttp2_session*, uint8_t flags, int32_t id, const uint8_t* data, size_t length,
                    void* user_data) {
    return self(user_data).onDataChunk(flags, id, viewOf(data, length));
  }
  static int onClose(nghttp2_session*, int32_t id, uint32_t code, void* user_data) {
    self(user_data).onClose(id, code);
    return 0;
  }
  static int onFrameSent(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    self(user_data).onFrameSent(*frame);
    return 0;
  }
  static int onInvalidFrame(nghttp2_session*, const nghttp2_frame* frame, int error,
                            void* user_data) {
    self(user_data).onInvalidFrame(*frame, error);
    return 0;
  }
  static int send(nghttp2_session*, nghttp2_frame*, const uint8_t* frame_header, size_t length,
                  nghttp2_data_source* source, void* user_data) {
    self(user_data).write(*static_cast<H2Stream*>(source->ptr), frame_header, length);
    return 0;
  }

  static nghttp2_session_callbacks* table() {
    static nghttp2_session_callbacks* const kTable = [] {
      nghttp2_session_callbacks* made = nullptr;
      CONVOY_ASSERT(nghttp2_session_callbacks_new(&made) == 0);
      nghttp2_session_callbacks_set_on_begin_frame_callback(made, onBeginFrame);
      nghttp2_session_callbacks_set_on_begin_headers_callback(made, onBeginHeaders);
      nghttp2_session_callbacks_set_on_header_callback2(made, onHeader);
      nghttp2_session_callbacks_set_on_invalid_header_callback2(made, onInvalidHeader);
      nghttp2_session_callbacks_set_on_frame_recv_callback(made, onFrame);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, onData);
      nghttp2_session_callbacks_set_on_stream_close_callback(made, onClose);
      nghttp2_session_callbacks_set_on_frame_send_callback(made, onFrameSent);
      nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(made, onInvalidFrame);
      nghttp2_session_callbacks_set_send_data_callback(made, send);
      return made;
    }();
    return kTable;
  }

  static nghttp2_session* makeSession(H2Session* self) {
    nghttp2_option* option = nullptr;
    CONVOY_ASSERT(nghttp2_option_new(&option) == 0);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_send_header_block_length(option, 1024 * 1024);
    nghttp2_option_set_max_deflate_dynamic_table_size(option, self->options_.header_table);
    nghttp2_option_set_peer_max_concurrent_streams(option, self->options_.max_concurrent_streams);
    // Backstops that know neither our clock nor our counters: ours (h2_flood.h) comes long before.
    nghttp2_option_set_stream_reset_rate_limit(option, 100'000, 10'000);
    nghttp2_option_set_max_continuations(option, 100'000);
    nghttp2_option_set_max_outbound_ack(option, 100'000);
    nghttp2_session* made = nullptr;
    const int error = self->role_ == Role::Server
                          ? nghttp2_session_server_new2(&made, table(), self, option)
                          : nghttp2_session_client_new2(&made, table(), self, option);
    CONVOY_ASSERT(error == 0);
    nghttp2_option_del(option);
    return made;
  }
};

H2Session::H2Session(Role role, H2SessionHandler& handler, const H2Options& options,
                     const event::Clock& clock, H2Metrics& metrics)
    : handler_(handler),
      options_(options),
      clock_(clock),
      metrics_(metrics),
      role_(role),
      scanner_(NGHTTP2_CLIENT_MAGIC_LEN),
      section_(options),
      flood_(clock, options.flood_budget, options.flood_refill_per_second) {
  session_ = Callbacks::makeSession(this);
  nghttp2_settings_entry settings[4];
  size_t count = 0;
  if (options.header_table != NGHTTP2_DEFAULT_HEADER_TABLE_SIZE) {
    settings[count++] = {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, options.header_table};
  }
  settings[count++] = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.stream_window};
  if (role == Role::Server) {
    settings[count++] = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options.max_concurrent_streams};
    if (options.allow_extended_connect) {
      settings[count++] = {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1};
    }
  } else {
    settings[count++] = {NGHTTP2_SETTINGS_ENABLE_PUSH, 0};
  }
  CONVOY_ASSERT(nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, count) == 0);
  const auto window = static_cast<int32_t>(options.connection_window);
  CONVOY_ASSERT(nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, window) == 0);
}

H2Session::~H2Session() {
  while (!streams_.empty()) forget(streams_.front());
  purge();
  nghttp2_session_del(session_);
}

H2Stream* H2Session::find(int32_t id) const {
  return static_cast<H2Stream*>(nghttp2_session_get_stream_user_data(session_, id));
}

H2Stream& H2Session::add(std::unique_ptr<H2Stream> stream) {
  H2Stream& added = *stream.release();
  streams_.pushBack(added);
  ++stream_count_;
  metrics_.streams_active.add();
  return added;
}

void H2Session::forget(H2Stream& stream) {
  if (std::exchange(stream.closed, true)) return;
  if (!stream.receive_ended && !stream.reset_by_peer) noteGivenUp(stream.id);
  stream.listener = nullptr;
  stream.direct = {};
  stream.pending.clear();
  stream.unlink();
  --stream_count_;
  metrics_.streams_active.sub();
  closed_.pushBack(stream);
}

void H2Session::purge() {
  closed_.forEach([](H2Stream& stream) { delete &stream; });  // it unlinks itself
}

// --- bytes in ---

void H2Session::receive(std::string_view bytes) {
  if (dead_ || failure_ != H2Error::None) return;
  CONVOY_ASSERT(!in_nghttp2_);
  Scope scope(*this);
  size_t fed = 0;
  size_t at = role_ == Role::Server ? 0 : bytes.size();
  while (at < bytes.size() && failure_ == H2Error::None) {
    const H2FrameScanner::Found frame = scanner_.next(bytes, &at);
    if (frame.stream < 0) break;
    if (frame.type != H2FrameScanner::kData) {
      charge(frame.type == H2FrameScanner::kContinuation ? H2Error::FloodContinuation
                                                         : H2Error::FloodUnknown,
             H2Flood::kFrame);
      continue;
    }
    feed(bytes.substr(fed, frame.header_at - fed));
    fed = frame.header_at;
    if (failure_ == H2Error::None) judgeForgotten(frame);
  }
  if (failure_ == H2Error::None) feed(bytes.substr(fed));
  flush();
}

// DATA that nghttp2 will drop without a word. Whoever has ended or reset a stream sends nothing
// more on it; on one that we have reset, what is on its way is legal, and little of it is cheap to
// send.
void H2Session::judgeForgotten(const H2FrameScanner::Found& data) {
  if (isOver(data.stream)) return fail(H2Error::StreamClosed);
  if (data.length < H2Flood::kSmallData && find(data.stream) == nullptr) {
    charge(H2Error::FloodEmptyData, H2Flood::kFrame);
  }
}

void H2Session::feed(std::string_view bytes) {
  in_nghttp2_ = true;
  const ssize_t taken = nghttp2_session_mem_recv(
      session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  in_nghttp2_ = false;
  if (taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC) {
    fail(H2Error::BadPreface);
  } else if (taken == NGHTTP2_ERR_FLOODED) {
    countFlood(H2Error::FloodPing);
    fail(H2Error::FloodPing);
  } else if (taken < 0) {
    fail(failure_ != H2Error::None ? failure_ : H2Error::InternalError);
  }
}

// Ends the connection from inside a callback of nghttp2.
int H2Session::stop(H2Error error) {
  if (failure_ == H2Error::None) failure_ = error;
  return NGHTTP2_ERR_CALLBACK_FAILURE;
}

void H2Session::fail(H2Error error) {
  failure_ = error;
  nghttp2_session_terminate_session(session_, info(error).code);
}

int H2Session::pay(H2Error kind, int64_t price) {
  if (flood_.pay(price)) return 0;
  countFlood(kind);
  return stop(kind);
}

// As pay(), where no callback is there to be stopped.
void H2Session::charge(H2Error kind, int64_t price) {
  if (flood_.pay(price)) return;
  countFlood(kind);
  if (failure_ == H2Error::None) fail(kind);
}

bool H2Session::endsRapidly(const H2Stream& stream) const {
  return !stream.end_on_wire && clock_.monotonicNow() - stream.opened_at <= H2Flood::kRapid;
}

// A client that makes us reset its stream, by a frame that is not allowed there, has it as cheap as
// one that resets it: it pays as much.
void H2Session::payForReset(const H2Stream& stream) {
  if (role_ == Role::Server && endsRapidly(stream)) charge(H2Error::FloodReset, H2Flood::kReset);
}

void H2Session::countFlood(H2Error kind) {
  switch (kind) {
    case H2Error::FloodReset:
      return metrics_.inbound_reset_frames_flood.add();
    case H2Error::FloodEmptyData:
      return metrics_.inbound_empty_frames_flood.add();
    case H2Error::FloodWindowUpdate:
      return metrics_.inbound_window_update_frames_flood.add();
    case H2Error::FloodContinuation:
      return metrics_.inbound_continuation_frames_flood.add();
    case H2Error::FloodPriority:
      return metrics_.inbound_priority_frames_flood.add();
    case H2Error::FloodHeaderBytes:
      return metrics_.inbound_header_bytes_flood.add();
    default:
      return metrics_.inbound_control_frames_flood.add();
  }
}

// 5.1.1: nghttp2 takes a new stream with a lower number for one that was closed.
bool H2Session::wasSkipped(int32_t id) const {
  return std::any_of(std::begin(gaps_), std::end(gaps_),
                     [id](const Range& gap) { return gap.first <= id && id <= gap.last; });
}

void H2Session::noteNewId(int32_t id) {
  if (id > highest_id_ + 2 && (highest_id_ > 0 || id > 1)) {
    gaps_[next_gap_++ % kGaps] = {highest_id_ > 0 ? highest_id_ + 2 : 1, id - 2};
  }
  highest_id_ = id;
}

bool H2Session::wasClosedByPeer(int32_t id) const {
  return std::find(std::begin(closed_by_peer_), std::end(closed_by_peer_), id) !=
         std::end(closed_by_peer_);
}

void H2Session::noteClosedByPeer(int32_t id) {
  closed_by_peer_[next_closed_++ % kClosed] = id;
}

void H2Session::noteGivenUp(int32_t id) {
  if (role_ != Role::Server) return;
  if (given_up_.first == 0 || id < given_up_.first) given_up_.first = id;
  given_up_.last = std::max(given_up_.last, id);
}

// 5.1, 5.1.1: nothing comes on a stream that the client has ended, reset or skipped. nghttp2 has
// forgotten such streams, and those that we gave up, on which frames may be on their way. Outside
// of the range of these there is no doubt, however long ago it was; inside, what is remembered
// decides.
bool H2Session::isOver(int32_t id) const {
  if (role_ != Role::Server || id % 2 == 0 || id > highest_id_ || find(id) != nullptr) return false;
  const bool doubtful = given_up_.first <= id && id <= given_up_.last;
  return !doubtful || wasSkipped(id) || wasClosedByPeer(id);
}

int H2Session::beginFrame(const nghttp2_frame_hd& frame) {
  switch (frame.type) {
    case NGHTTP2_DATA:
      frame_left_ = (frame.flags & NGHTTP2_FLAG_PADDED) != 0 ? 0 : frame.length;
      return 0;
    case NGHTTP2_HEADERS:
      if (role_ == Role::Server && frame.stream_id % 2 == 1) {
        if (frame.stream_id > highest_id_) {
          noteNewId(frame.stream_id);
          // It crossed the last word: decoded for nobody.
          if (goAwaySent()) {
            noteGivenUp(frame.stream_id);
            return pay(H2Error::FloodReset, H2Flood::kFrame);
          }
        } else if (isOver(frame.stream_id)) {
          return stop(wasClosedByPeer(frame.stream_id) ? H2Error::StreamClosed
                                                       : H2Error::StreamIdNotIncreasing);
        } else if (find(frame.stream_id) == nullptr) {
          return pay(H2Error::FloodReset, H2Flood::kFrame);  // likewise
        }
      }
      return 0;
    case NGHTTP2_RST_STREAM: {
      H2Stream* stream = find(frame.stream_id);
      if (role_ == Role::Client) return 0;
      if (stream == nullptr) return pay(H2Error::FloodReset, H2Flood::kFrame);
      noteClosedByPeer(frame.stream_id);
      stream->reset_by_peer = true;
      return endsRapidly(*stream) ? pay(H2Error::FloodReset, H2Flood::kReset) : 0;
    }
    case NGHTTP2_SETTINGS:
      // An acknowledgement that nobody waits for is an error.
      if ((frame.flags & NGHTTP2_FLAG_ACK) != 0) return 0;
      return pay(H2Error::FloodSettings, H2Flood::kEveryStream);
    case NGHTTP2_GOAWAY:
      return pay(H2Error::FloodGoAway, H2Flood::kEveryStream);
    case NGHTTP2_PING:  // or an answer, that nobody may have asked for
      return pay(H2Error::FloodPing, H2Flood::kFrame);
    case NGHTTP2_WINDOW_UPDATE:
      return pay(H2Error::FloodWindowUpdate, H2Flood::kFrame);
    case NGHTTP2_CONTINUATION:  // a client's: receive() has found it
      return role_ == Role::Server ? 0 : pay(H2Error::FloodContinuation, H2Flood::kFrame);
    case NGHTTP2_PRIORITY:
      return pay(H2Error::FloodPriority, H2Flood::kFrame);
    default:  // those that nghttp2 skips do not come here: receive() has found a client's
      return 0;
  }
}

int H2Session::beginHeaders(const nghttp2_frame& frame) {
  if (frame.hd.type != NGHTTP2_HEADERS) return 0;
  if (frame.headers.cat == NGHTTP2_HCAT_REQUEST) {
    section_.startHead();
    // nghttp2 opens it until the last word has left, which then ends it: nobody may see it before.
    if (goAwaySent()) return 0;
    std::unique_ptr<H2Stream> made = handler_.onStreamOpened(frame.hd.stream_id);
    if (made == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    H2Stream& stream = add(std::move(made));
    stream.id = frame.hd.stream_id;
    stream.opened_at = clock_.monotonicNow();
    stream.head_on_wire = true;  // nothing goes before the response's head anyway
    nghttp2_session_set_stream_user_data(session_, stream.id, &stream);
    return 0;
  }
  const H2Stream* stream = find(frame.hd.stream_id);
  (stream != nullptr && stream->head_received) ? section_.startTrailers() : section_.startHead();
  return 0;
}

int H2Session::onFrame(const nghttp2_frame& frame) {
  switch (frame.hd.type) {
    case NGHTTP2_HEADERS:
      onHeadersFrame(frame);
      break;
    case NGHTTP2_DATA: {
      H2Stream* stream = find(frame.hd.stream_id);
      if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) {
        // Nothing, or nothing but padding, of which its length is a part.
        const bool empty = frame.hd.length == frame.data.padlen;
        return empty ? pay(H2Error::FloodEmptyData, H2Flood::kFrame) : 0;
      }
      if (stream == nullptr) break;
      if (!stream->receive_ended) {
        stream->receive_ended = true;
        handler_.onData(*stream, {}, true);
      }
      break;
    }
    case NGHTTP2_RST_STREAM:
      metrics_.rx_reset.add();
      break;
    case NGHTTP2_GOAWAY:
      handler_.onPeerGoAway(frame.goaway.last_stream_id);
      break;
    case NGHTTP2_SETTINGS:
      if ((frame.hd.flags & NGHTTP2_FLAG_ACK) == 0) handler_.onPeerSettings();
      break;
    case NGHTTP2_PING:
      if (go_away_ == GoAway::Announced && (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0 &&
          std::memcmp(frame.ping.opaque_data, kDrainPing, sizeof(kDrainPing)) == 0) {
        finishGoAway();
      }
      break;
    default:
      break;
  }
  return 0;
}

void H2Session::onHeadersFrame(const nghttp2_frame& frame) {
  H2Stream* stream = find(frame.hd.stream_id);
  if (stream == nullptr) return section_.release();
  if (!section_.started()) return;
  const bool end = (frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
  if (end) stream->receive_ended = true;
  if (stream->head_received) metrics_.trailers.add();
  handler_.onSection(*stream, section_, end);
  if (section_.decodedBytes() > kKeptSectionBytes) section_.release();
}

int H2Session::onDataChunk(uint8_t flags, int32_t id, std::string_view bytes) {
  H2Stream* stream = find(id);
  if (stream == nullptr) {
    nghttp2_session_consume_connection(session_, bytes.size());
    return 0;
  }
  frame_left_ -= std::min(frame_left_, bytes.size());
  stream->received += bytes.size();
  // The last bytes say so at once, if the length that was announced is right; if not, or with
  // padding behind them, nghttp2 judges first.
  const bool end = (flags & NGHTTP2_FLAG_END_STREAM) != 0 && (flags & NGHTTP2_FLAG_PADDED) == 0 &&
                   frame_left_ == 0 &&
                   (stream->declared == UINT64_MAX || stream->received == stream->declared);
  if (end) stream->receive_ended = true;
  handler_.onData(*stream, bytes, end);
  withhold(*stream, bytes.size());
  return 0;
}

// Bytes were taken by the layer above: the windows open again unless it has had enough. The stream
// may have been closed meanwhile, but is not destroyed.
void H2Session::withhold(H2Stream& stream, size_t bytes) {
  if (stream.closed) {
    nghttp2_session_consume_connection(session_, bytes);
  } else if (stream.pauses > 0 && paused_bytes_ + bytes <= options_.paused_bytes) {
    paused_bytes_ += bytes;
    stream.unconsumed_here += bytes;
    nghttp2_session_consume_connection(session_, bytes);
  } else if (stream.pauses > 0) {
    stream.unconsumed += bytes;
  } else {
    nghttp2_session_consume(session_, stream.id, bytes);
  }
}

void H2Session::countRefusal(H2Error error) {
  switch (error) {
    case H2Error::HeadTooLarge:
    case H2Error::TooManyFields:
    case H2Error::CookiesTooLarge:
    case H2Error::TrailersTooLarge:
    case H2Error::TooManyTrailers:
      return metrics_.header_overflow.add();
    default:
      return metrics_.rx_messaging_error.add();
  }
}

void H2Session::onInvalidFrame(const nghttp2_frame& frame, int error) {
  if (frame.hd.type != NGHTTP2_HEADERS) return;
  section_.release();
  if (error == NGHTTP2_ERR_REFUSED_STREAM) {
    // More than it may have open, since it says that it has not read how many that are.
    noteGivenUp(frame.hd.stream_id);
    if (role_ == Role::Server) charge(H2Error::FloodReset, H2Flood::kReset);
    return;
  }
  H2Stream* stream = find(frame.hd.stream_id);
  countRefusal(H2Error::MalformedMessage);
  if (stream == nullptr || !stream->head_received) {
    handler_.onMessageRefused(H2Error::MalformedMessage);
  }
}

void H2Session::onClose(int32_t id, uint32_t code) {
  H2Stream* stream = find(id);
  if (stream == nullptr || stream->closed) return;
  if (code == NGHTTP2_NO_ERROR && stream->end_on_wire) flood_.earn(H2Flood::kStreamEnded);
  if (code != NGHTTP2_NO_ERROR && !stream->reset_by_peer) payForReset(*stream);
  if (stream->receive_ended) noteClosedByPeer(id);
  giveBackToConnection(*stream);
  const bool ended = code == NGHTTP2_NO_ERROR && stream->end_on_wire && stream->receive_ended;
  const uint32_t reason = ended || code != NGHTTP2_NO_ERROR ? code : uint32_t{NGHTTP2_CANCEL};
  Scope scope(*this);
  forget(*stream);
  handler_.onStreamClosed(*stream, reason);
}

// Its answer costs the peer one frame of the flood budget, which comes back in time: no interval
// asks as often.
void H2Session::ping() {
  if (dead_ || failure_ != H2Error::None) return;
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, kKeepalivePing);
  flush();
}

// --- endings ---

void H2Session::onGoAwaySent(uint32_t code) {
  metrics_.goaway_sent.add();
  if (code != NGHTTP2_NO_ERROR) {
    if (failure_ == H2Error::None) failure_ = h2ErrorOfCode(code);
  } else if (go_away_ == GoAway::Announced) {
    nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, kDrainPing);
  }
}

void H2Session::reset(H2Stream& stream, uint32_t code) {
  if (stream.closed) return;
  Scope scope(*this);
  if (code == NGHTTP2_PROTOCOL_ERROR) payForReset(stream);
  stream.listener = nullptr;
  const bool finish_first = code == NGHTTP2_NO_ERROR && stream.send_ended && !stream.end_on_wire;
  if (finish_first) {
    stream.reset_when_sent = true;
    endPauses(stream);
    return flush();
  }
  // An answer before the request's end is an answer: it pays for what is still on its way.
  if (code == NGHTTP2_NO_ERROR && stream.end_on_wire) flood_.earn(H2Flood::kStreamEnded);
  if (stream.id >= 0) {
    giveBackToConnection(stream);
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id, code);
  }
  abandon(stream);
  flush();
}

void H2Session::abandon(H2Stream& stream) {
  Scope scope(*this);
  if (stream.id >= 0) nghttp2_session_set_stream_user_data(session_, stream.id, nullptr);
  forget(stream);
}

void H2Session::startGoAway() {
  if (go_away_ != GoAway::None || failure_ != H2Error::None) return;
  go_away_ = GoAway::Announced;
  nghttp2_submit_shutdown_notice(session_);
  flush();
}

void H2Session::finishGoAway() {
  if (go_away_ == GoAway::Final || failure_ != H2Error::None) return;
  go_away_ = GoAway::Final;
  last_served_ = nghttp2_session_get_last_proc_stream_id(session_);
  const std::string_view why = why_ == nullptr ? std::string_view() : *why_;
  nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, last_served_, NGHTTP2_NO_ERROR,
                        reinterpret_cast<const uint8_t*>(why.data()), why.size());
  flush();
}

bool H2Session::windowIsShut(const H2Stream& stream) const {
  return stream.sendable() > 0 &&
         (nghttp2_session_get_remote_window_size(session_) <= 0 ||
          nghttp2_session_get_stream_remote_window_size(session_, stream.id) <= 0);
}

size_t H2Session::resetStalledStreams(bool output_moves) {
  Scope scope(*this);
  std::vector<H2Stream*> stalled;
  streams_.forEach([&](H2Stream& stream) {
    if (!stream.send_ended || stream.end_on_wire) return;
    if (output_moves && stream.waits_for_room) return;
    if (std::exchange(stream.stalled, true)) stalled.push_back(&stream);
  });
  for (H2Stream* stream : stalled) {
    if (stream->closed) continue;
    reset(*stream, NGHTTP2_CANCEL);
    handler_.onStreamClosed(*stream, NGHTTP2_CANCEL);  // its request may still be arriving
  }
  metrics_.tx_flush_timeout.add(stalled.size());
  return stalled.size();
}

bool H2Session::peerTakesExtendedConnect() const {
  return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) ==
         1;
}

uint32_t H2Session::peerMaxConcurrentStreams() const {
  return nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

}  // namespace convoy::http
