#pragma once

// One connection of a pool: joins socket and codec, carries streams, and decides when it is done
// for. It is on exactly one list of its pool, according to its state, until it is closed; then it
// is destroyed at the end of the turn, so that no frame of its own is left on the stack.
//
// The codec is made when the connection is open, since TLS may decide which. It stays while the
// connection is idle: HTTP/1.1's is 144 bytes that own no buffer then, cheaper than an allocation
// for each request.
// Worker's thread only.

#include <cstdint>
#include <memory>
#include <string_view>

#include "proxy/base/intrusive_list.h"
#include "proxy/event/deadlines.h"
#include "proxy/http/codec.h"
#include "proxy/net/connection.h"
#include "proxy/upstream/conn_pool.h"
#include "proxy/upstream/keepalive.h"
#include "proxy/upstream/pool_stream.h"
#include "proxy/upstream/upstream_io.h"

namespace convoy::upstream {

enum class PooledConnectionState : uint8_t {
  Connecting,  // the upstream has not answered: the connect, TLS, or HTTP/2's first SETTINGS
  Idle,        // no stream; may take one
  Partial,     // has streams, and room for more
  Full,        // has as many streams as it can carry
  Draining,    // has streams, takes no more, closes after the last one
  Closed,      // has left its pool; waits for the end of the turn
};

class PooledConnection final : public net::ConnectionHandler,
                               public http::ClientCodecHandler,
                               public KeepaliveLink,
                               public base::ListHook<> {
 public:
  using State = PooledConnectionState;

  // Starts to connect. A permit of the connection breaker goes with the connection.
  explicit PooledConnection(HostRef host);
  ~PooledConnection();

  State state() const { return state_; }
  // How many streams it was thought to carry when it was opened.
  uint32_t expectedStreams() const { return expected_streams_; }
  bool hasRoom() const { return state_ == State::Idle || state_ == State::Partial; }
  uint64_t streamsStarted() const { return streams_started_; }
  uint32_t streams() const override { return active_; }  // on it now
  uint64_t reads() const override { return reads_; }
  bool takesUpgrades() const { return codec_.codec->takesUpgrades(); }
  // HTTP/2: the connection has ended, and with it all streams at once; not one by itself.
  bool lostAllStreams() const { return http2_ && lost_; }
  // Gives its permits to another pool after its last stream.
  bool leaves() const { return leaves_; }
  const net::Address& localAddress() { return connection_->localAddress(); }

  // REQUIRES: hasRoom(). Calls the stream's onStreamReady().
  void startStream(PoolStream& stream, bool holds_request);
  // The stream's caller gives it up.
  void resetStream(PoolStream& stream, http::Failure failure);
  // Closes now if there is no stream, else after the last one.
  void drain();
  // Closes now; streams end with this failure.
  void closeNow(http::Failure failure);

  // net::ConnectionHandler
  void onConnected() override;
  void onRead(std::string_view bytes) override;
  net::SpliceResult onSpliceable() override;
  void onEndOfStream() override;
  void onClosed(net::CloseReason reason) override;
  void onWriteQueueAboveHigh() override;
  void onWriteQueueBelowLow() override;

  // http::ClientCodecHandler
  net::ByteQueue& output() override {
    // Many streams, written to in as many turns, leave in one send.
    http2_ ? connection_->scheduleLateFlush() : connection_->scheduleFlush();
    return connection_->output();
  }
  void pauseReading() override { connection_->pauseReading(); }
  void resumeReading() override { connection_->resumeReading(); }
  void endSending() override { connection_->endSending(); }
  void expectBody() override { connection_->expectBody(); }
  size_t sendNow(std::string_view bytes) override { return connection_->sendNow(bytes); }
  net::SpliceResult spliceFrom(net::Connection& from, uint64_t most) override {
    return connection_->spliceFrom(from, most);
  }
  uint32_t acknowledged() override { return connection_->acknowledged(); }
  bool unsent() const override { return connection_->unsent(); }
  void onStreamComplete(http::RequestSender& sender) override;
  void onProtocolError(http::Failure failure, std::string_view detail) override;
  void onGoAway() override {
    if (state_ != State::Connecting) drain();
  }
  void onStreamReset(http::RequestSender& sender) override;
  void onMaxStreams(uint32_t streams) override;

  // KeepaliveLink
  uint64_t unacknowledged() override { return connection_->unacknowledged(); }
  void sendPing() override { codec_.codec->ping(); }
  void onSilent() override;

 private:
  enum class By : uint8_t { Us, Them };

  void wrap();
  void transition(State to);
  void makeCodec();
  void takeNoMore();
  void loseCodec(http::Failure failure);
  void settle();
  void settleConnecting();
  bool isOver() const;
  void endWithStreams();
  bool hasNewRoom() const;
  void becomeAvailable();
  void giveUp();
  void endStream(PoolStream& stream);
  void endAllStreams();
  void noteIdleClose();
  void close(By by);
  void onConnectFailed(net::CloseReason reason);
  void failToConnect(http::Failure failure);
  static void onDeadline(void* self);
  static void onAge(void* self);

  const HostRef host_;
  HostPool& pool_;
  WorkerCluster& cluster_;
  State state_ = State::Connecting;
  bool in_codec_ = false;        // the codec is on the stack below us
  bool serving_ = false;         // becomeAvailable() is
  bool protocol_error_ = false;  // the upstream broke the protocol
  bool lost_ = false;            // the upstream ended it
  bool leaves_ = false;
  bool gave_up_ = false;  // what is queued is of no use: HTTP/1.x's stream was reset, or silence
  std::shared_ptr<net::TransportFactory> transports_;  // what the transport counts in; may be null
  std::unique_ptr<net::Connection> connection_;
  UpstreamCodec codec_;  // null while connecting
  const uint32_t expected_streams_;
  bool http2_ = false;
  base::IntrusiveList<PoolStream> streams_;
  uint32_t active_ = 0;  // streams_, counted
  uint64_t streams_started_ = 0;
  uint64_t reads_ = 0;
  event::MonotonicTime idle_since_;
  event::MonotonicTime started_at_;
  event::Deadline deadline_;              // connect, then idle
  std::unique_ptr<event::Deadline> age_;  // max_connection_duration, if there is one
  std::unique_ptr<Keepalive> keepalive_;  // of HTTP/2, if there is one
};

}  // namespace convoy::upstream
