#pragma once

// One client connection that speaks HTTP: finds out which (server_codec_choice.h), feeds its bytes
// to a codec, gives each request a ServerStream, and decides when the connection ends. While it is
// idle it holds no stream, and of codecs at most HTTP/2's. Owned by the listener's list of
// connections; removed from there through the owner's onConnectionDone. Worker's thread only.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/intrusive_list.h"
#include "proxy/base/timer_origins.h"
#include "proxy/event/deadlines.h"
#include "proxy/http/codec.h"
#include "proxy/http/manager_runtime.h"
#include "proxy/http/server_codec_choice.h"
#include "proxy/http/stream.h"
#include "proxy/net/connection.h"

namespace convoy::http {

class ConnectionManager;

class ConnectionOwner {
 public:
  // The connection is closed: destroy its manager at the end of the turn.
  virtual void onConnectionDone(ConnectionManager& manager) = 0;

 protected:
  ~ConnectionOwner() = default;
};

class ConnectionManager final : public net::ConnectionHandler,
                                public ServerCodecHandler,
                                public StreamOwner,
                                public base::ListHook<> {
 public:
  ConnectionManager(std::shared_ptr<ManagerSlot> slot, ConnectionOwner& owner);
  ~ConnectionManager();

  // Takes the connection whose handler this is; called once, before any byte.
  void start(std::unique_ptr<net::Connection> connection);
  // Finishes running requests, tells clients to go elsewhere, and closes: idle connections when the
  // drain time-out passes.
  void drain();
  // Closes whatever runs.
  void closeNow();

  // net::ConnectionHandler
  void onConnected() override;  // the transport's handshake is done
  void onRead(std::string_view bytes) override;
  net::SpliceResult onSpliceable() override;
  void onEndOfStream() override;
  void onClosed(net::CloseReason reason) override;
  void onWriteQueueAboveHigh() override;
  void onWriteQueueBelowLow() override;

  // ServerCodecHandler
  net::ByteQueue& output() override {
    // Many streams, written to in as many turns, leave in one send.
    speaks_ == Speaks::Http2 ? connection_->scheduleLateFlush() : connection_->scheduleFlush();
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
  RequestReceiver& newStream(ResponseSender& sender) override;
  void onProtocolError(Failure failure, std::string_view detail) override;
  void onRequestRefused(ResponseSender* sender, Failure failure, std::string_view detail,
                        std::string_view method) override;
  void onStreamComplete(ResponseSender& sender) override;

  // StreamOwner
  const net::ConnectionAddresses& addresses() const override { return connection_->addresses(); }
  const net::Transport* transport() const override { return connection_->transport(); }
  void onStreamFinished(ServerStream& stream, StreamEnd end) override;

 private:
  enum class State : uint8_t {
    Open,      // serving
    Draining,  // no new request after the running ones
    Closing,   // close() was called; waits for onClosed
    Closed,    // the owner was told
  };

  using Speaks = ServerCodecChoice;

  bool chooseProtocol(std::string_view bytes);
  void speak(Speaks choice);
  void ensureCodec();
  void dispatch(std::string_view bytes);
  void feed(std::string_view bytes);
  bool multiplexed() const { return codec_ != nullptr && codec_->multiplexed(); }
  bool receivingHead() const;
  void refuse(ResponseSender& sender, Failure failure, std::string_view detail,
              std::string_view method = {});
  void tellGoAway();
  void watchStalls();
  void cancelDeadlines();
  void explainEnd(base::Timer timer);
  void serveNothing();
  void waitForClient();
  void close(net::CloseMode mode);
  void onEndOfTurn();
  void onIdleDeadline();
  void onAgeDeadline();
  void onStallDeadline();
  void recycleFinished();

  ManagerRuntime& runtime() { return *slot_->current; }

  const std::shared_ptr<ManagerSlot> slot_;
  H1Limits h1_limits_;  // of the configuration under which the codec was made
  ConnectionOwner& owner_;
  std::unique_ptr<net::Connection> connection_;
  std::unique_ptr<ServerCodec> codec_;
  base::IntrusiveList<ServerStream> streams_;   // owned
  base::IntrusiveList<ServerStream> finished_;  // owned; recycled at the end of the turn
  // Pipelined bytes that wait for the running response, or for the client to read those before;
  // reading is paused meanwhile.
  std::unique_ptr<std::string> held_;
  uint32_t requests_ = 0;  // since the connection began
  State state_ = State::Open;
  Speaks speaks_ = Speaks::Undecided;
  uint8_t preface_seen_ = 0;  // of HTTP/2's, while undecided
  bool peer_ended_ = false;
  bool said_go_away_ = false;      // HTTP/2
  bool head_pending_ = false;      // idle_deadline_ watches a head that is half here
  bool handshaking_ = false;       // idle_deadline_ watches the transport's handshake
  event::Deadline idle_deadline_;  // idle, or a head that is half here, or the end of draining
  event::Deadline age_deadline_;   // the connection's; draining: until the last word
  // HTTP/2: looks after responses that wait for the client's window.
  std::unique_ptr<event::Deadline> stall_deadline_;
  uint32_t acknowledged_ = 0;  // by the client, when that deadline was armed
  event::EndOfTurnTask end_of_turn_;
};

}  // namespace convoy::http
