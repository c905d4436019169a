#pragma once

// One stream connection on a worker's loop, accepted or connecting, and the transport (plain, or
// TLS) on it. All on the loop's thread. This class holds the states and the queue; what is below it
// (a socket: socket_connection.h; memory: test/common/in_memory_connection.h) implements the few
// private virtual functions.
//
// Reading: armed for the connection's life; bytes are shown from the loop's shared read buffer and
// must be consumed or copied before onRead returns, one read per turn. pauseReading() costs nothing
// unless bytes arrive meanwhile. Writing: bytes go to output(); everything written during a turn is
// sent by one call at the turn's end. What the kernel does not take stays queued, the watermarks
// tell the handler. Bytes may also come straight from another connection's socket, through a pipe,
// unseen (spliceFrom()); they have their place among those of output(). Closing: the handler gets
// onClosed exactly once, never from inside a call of this class, and never anything after it;
// queued bytes and the socket are gone by then. Destroying the Connection is allowed at any time,
// inside any callback too: it closes like CloseMode::Now, and no callback follows.

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/event/deadlines.h"
#include "proxy/event/loop.h"
#include "proxy/net/address.h"
#include "proxy/net/byte_queue.h"
#include "proxy/net/connection_addresses.h"
#include "proxy/net/spec.h"
#include "proxy/net/splice.h"
#include "proxy/net/splice_pipe.h"
#include "proxy/net/transport.h"

namespace convoy::net {

enum class CloseReason : uint8_t {
  LocalClose,      // we called close()
  RemoteReset,     // ECONNRESET, EPIPE and the like
  ConnectFailed,   // the connect was refused or unreachable
  ConnectTimeout,  // the connect did not finish in time (told by closeWith())
  TransportError,  // the transport (TLS) failed
};

enum class CloseMode : uint8_t {
  // Send what is queued, then FIN, then read and drop what the peer still sends until its FIN, so
  // that no RST destroys the last bytes on their way; bounded by kLingerTime and kLingerBytes.
  Flush,
  // Send what is queued, then close at once. Two system calls cheaper; only where the peer's
  // message was read to its end, so that nothing more is expected from it.
  FlushNoDrain,
  Now,    // drop what is queued, close
  Reset,  // RST: the peer sees an error, not an end (SO_LINGER 0)
};

class ConnectionHandler {
 public:
  virtual void onConnected() {}  // outgoing connections, once; transport handshake included
  virtual void onRead(std::string_view bytes) = 0;  // never empty
  // Instead of a read, after expectBody(): moves what this connection has to read to another one,
  // by spliceFrom(). After Copy and NoPipe it is read as always.
  virtual SpliceResult onSpliceable() { return {}; }
  virtual void onEndOfStream() = 0;  // the peer sent FIN; writing is still possible
  virtual void onClosed(CloseReason reason) = 0;
  virtual void onWriteQueueAboveHigh() = 0;
  virtual void onWriteQueueBelowLow() = 0;

 protected:
  ~ConnectionHandler() = default;
};

class Connection {
 public:
  // What is queued before the handler hears of it, unless setWriteLimit() says so.
  static constexpr size_t kDefaultBufferLimit = 256 * 1024;
  // How much one read takes at most, unless setReadSize() says so.
  static constexpr size_t kReadBytes = 64 * 1024;
  static constexpr event::Duration kLingerTime = std::chrono::seconds(5);
  static constexpr size_t kLingerBytes = 16 * 1024 * 1024;
  // A flushing close whose peer takes not a byte for so long ends with a reset.
  static constexpr event::Duration kFlushStallTime = std::chrono::seconds(60);

  // Adopts an accepted, connected socket, which is ours from here on, also on failure; failure
  // is reported by onClosed(RemoteReset). The handler outlives the connection or is set again by
  // setHandler().
  static std::unique_ptr<Connection> adopt(event::Loop& loop, int fd, ConnectionAddresses addresses,
                                           ConnectionHandler& handler);
  // Starts connecting; the result is onConnected() or onClosed(ConnectFailed), never from inside
  // this call. The time-out is the caller's: closeWith(ConnectTimeout).
  static std::unique_ptr<Connection> connect(event::Loop& loop, const Address& to,
                                             const Address* bind_to, ConnectionHandler& handler);
  virtual ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void setHandler(ConnectionHandler& handler) { handler_ = &handler; }
  // Before any byte has passed.
  void setTransport(std::unique_ptr<Transport> transport);
  Transport* transport();
  // Bytes that an earlier handler was shown, to decide who is to have the connection, go to the
  // present handler or its transport as if they had just come. From inside a turn, once.
  void deliverAgain(std::string_view bytes);
  // 0: no limit.
  void setWriteLimit(size_t high_watermark);

  // Bytes for the peer. A codec serialises into output() in place and then calls scheduleFlush();
  // write() does both. Its watermarks are the connection's own; do not set others. Bytes written
  // after close() go nowhere.
  ByteQueue& output() { return output_; }
  void scheduleFlush() { loop_.atEndOfTurn(end_of_turn_); }
  // As scheduleFlush(), but with what the other turns of this iteration write.
  void scheduleLateFlush() { loop_.atEndOfIteration(end_of_turn_); }
  void write(std::string_view bytes) {
    output_.append(bytes);
    scheduleFlush();
  }

  // Turned on; nothing happens on what is not TCP.
  void setTcpKeepalive(const TcpKeepalive& keepalive);

  // At most Loop::kReadBufferBytes.
  void setReadSize(size_t bytes) { read_bytes_ = static_cast<uint32_t>(bytes); }

  // Sends what is queued and as much of `bytes` as the kernel takes, at once, so that a large piece
  // is not copied; returns how much of `bytes`, maybe nothing. The rest is for write().
  size_t sendNow(std::string_view bytes);

  // Much of a body is to come that may not need to be read: the next time that there are bytes, the
  // handler is asked first (onSpliceable). Holds until it declines. Nothing happens on a transport.
  void expectBody() { body_expected_ = wrapping_ == nullptr; }
  // Moves at most `most` bytes from what `from` has to read behind what this connection has to
  // send. Both are TCP without a transport, and what was moved before is sent; else: Copy.
  SpliceResult spliceFrom(Connection& from, uint64_t most);
  // Something written or moved here is not sent, be it that a transport has taken it.
  bool unsent() const;
  // How many of the bytes that were sent the peer's kernel has acknowledged so far, modulo 2^32 (a
  // unix socket subtracts its overhead): whether it changes says if the peer takes any. A system
  // call.
  uint32_t acknowledged() const;
  // How many were written or moved here and are not acknowledged, those in the kernel too. A system
  // call.
  uint64_t unacknowledged() const;

  // Counted: reading resumes when as many resumes as pauses were called, not from inside the call.
  // In between, onRead and onEndOfStream are not called.
  void pauseReading() { ++pauses_; }
  void resumeReading();

  // Half-close: FIN follows what is queued (TLS: close_notify before it), reading goes on. Nothing
  // is to be written afterwards.
  void endSending();

  // A later close may only be harder than the one before.
  void close(CloseMode mode);
  // Closes like CloseMode::Now; onClosed() then gets this reason.
  void closeWith(CloseReason reason);
  // The socket is connected, and not closed for good.
  bool connected() const { return state_ != State::Connecting && state_ != State::Closed; }
  // errno of what ended the connection; 0 if nothing failed.
  int systemError() const { return system_error_; }

  // The peer as seen by the socket, and the address that it reached. Of an outgoing connection, the
  // address that the kernel chose, looked up at the first question while connected.
  const Address& remoteAddress() const { return addresses_.remote(); }
  const Address& localAddress();
  // These and the original ones, of an accepted connection. Good as long as the connection.
  const ConnectionAddresses& addresses() const { return addresses_; }
  // What came before the connection's own bytes said so. Before anybody else has the connection:
  // references to the original addresses end here.
  void setOriginalAddresses(Address source, Address destination) {
    addresses_.setOriginal(std::move(source), std::move(destination));
  }
  event::Loop& loop() { return loop_; }

 protected:
  enum class State : uint8_t {
    Connecting,  // the connect has not been answered
    Open,        // bytes flow both ways; after the peer's FIN, one way
    Flushing,    // close(Flush...): sending what is queued, dropping what arrives
    Lingering,   // FIN sent; dropping what arrives until the peer's FIN or a limit
    Closed,      // the socket is gone; onClosed was called or is about to be
  };

  Connection(event::Loop& loop, ConnectionHandler& handler, State state,
             ConnectionAddresses addresses);

  // What an implementation waits for, and tells by the functions below.
  struct Interest {
    bool readable;
    bool writable;
    bool operator==(const Interest&) const = default;
  };
  Interest interest() const;

  // Called by the implementation, each from inside a turn. Any of them may end in the destruction
  // of the object, which the implementation delays until its frame has returned.
  void onConnectResult(int error);  // 0 or errno
  void onReadable();
  void onWritable();
  // The socket has an error, and maybe bytes before it. errno if it is known, else 0.
  void onSocketError(int error);
  // Ends without a callback; the implementation's destruction begins with it.
  void abandon();
  // onClosed() at the end of the turn.
  void fail(CloseReason reason, int error);
  bool closed() const { return state_ == State::Closed; }
  bool connecting() const { return state_ == State::Connecting; }

 private:
  // Of one call: 256 KiB of the queue.
  static constexpr int kMaxVectors = 16;

  class Wrapping;
  struct Closing;

  // The seam. Results below zero are -errno; -EAGAIN means later.
  virtual ssize_t sendSome(const iovec* vectors, int count) = 0;
  virtual ssize_t receiveSome(char* into, size_t room, bool peek_only) = 0;  // 0: end of stream
  virtual void updateInterest() = 0;  // interest() may have changed
  virtual void shutdownSending() = 0;
  virtual void closeSocket(bool reset) = 0;
  virtual Address queryLocalAddress() const = 0;
  virtual uint32_t unacknowledgedInSocket() const = 0;
  virtual int tcpDescriptor() const { return -1; }  // for splice(2); -1: there is none

  // How far endSending() has come.
  enum class End : uint8_t {
    Open,      // not asked for
    Wanted,    // behind what is queued
    Notified,  // the transport has said it
    Sent,      // FIN
  };

  void transition(State to);
  void atEndOfTurn();
  void flush();
  bool sendQueued();
  ssize_t sendFirst(size_t* offered);
  ssize_t sendPiped(size_t* offered);
  bool trySplice();
  void noteLevel();
  bool sendEnd();
  void onAllSent();
  void onSendFailed(int error);
  void closeWrapped();
  void discardInput();
  void deliver(std::string_view bytes);
  void deliverEndOfStream();
  void startClosing(event::Duration limit);
  void release(CloseReason reason, int error, bool reset);
  void finish(CloseReason reason, int error);
  void report();
  ByteQueue& socketQueue();
  void dropQueues();

  event::Loop& loop_;
  ConnectionHandler* handler_;  // null: abandoned
  std::unique_ptr<Wrapping> wrapping_;
  std::unique_ptr<Closing> closing_;
  event::EndOfTurnTask end_of_turn_;
  ByteQueue output_;
  SplicePipe::Ptr piped_;  // bytes behind the first piped_->behind of output_; else null
  ConnectionAddresses addresses_;
  uint32_t read_bytes_ = kReadBytes;
  uint32_t sent_ = 0;  // bytes that the socket has taken, modulo 2^32
  uint16_t pauses_ = 0;
  int16_t system_error_ = 0;
  State state_;
  End end_ = End::Open;
  CloseReason reason_ = CloseReason::LocalClose;
  bool reported_ = false;
  bool blocked_ = false;        // the kernel took less than it was offered
  bool send_broken_ = false;    // sending failed; what can still be read is read
  bool end_seen_ = false;       // the peer's FIN was read
  bool reads_stopped_ = false;  // bytes arrived while paused
  bool drain_ = true;           // linger after a flushing close
  bool body_expected_ = false;  // the handler is asked before a read
  bool above_high_ = false;     // and the handler knows
};

}  // namespace convoy::net
