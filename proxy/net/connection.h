#pragma once

// One stream socket (TCP or unix) on a worker's loop, accepted or connecting, and the transport
// (plain, later TLS) on it. An idle connection costs its handle and this object: no buffer. All on
// the loop's thread.
//
// Reading: armed for the connection's life (a stop and start per request costs 0.7-1.0 us); bytes
// are shown from the loop's shared read buffer and must be consumed or copied before onRead
// returns. pauseReading() is for back-pressure only. Writing: bytes go to output(); everything
// written during a turn is sent by one call at the turn's end. What the kernel does not take stays
// queued, the watermarks tell the handler. Closing: the handler gets onClosed exactly once and
// never anything after it. Destroying the Connection inside any callback is allowed: the uv handle
// outlives it until libuv let go.

#include <uv.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "proxy/event/loop.h"
#include "proxy/net/address.h"
#include "proxy/net/byte_queue.h"

namespace convoy::net {

enum class CloseReason : uint8_t {
  LocalClose,      // we called close()
  RemoteReset,     // ECONNRESET, EPIPE and the like
  ConnectFailed,   // the connect was refused or unreachable
  ConnectTimeout,  // the connect did not finish in time
  TransportError,  // the transport (TLS) failed
};

enum class CloseMode : uint8_t {
  Flush,  // send what is queued, then FIN, then close
  Now,    // drop what is queued, close
  Reset,  // RST: the peer sees an error, not an end (SO_LINGER 0)
};

class ConnectionHandler {
 public:
  virtual void onConnected() {}  // outgoing connections, once; transport handshake included
  virtual void onRead(std::string_view bytes) = 0;  // never empty
  virtual void onEndOfStream() = 0;                 // the peer sent FIN; writing is still possible
  virtual void onClosed(CloseReason reason) = 0;
  virtual void onWriteQueueAboveHigh() = 0;
  virtual void onWriteQueueBelowLow() = 0;

 protected:
  ~ConnectionHandler() = default;
};

// The layer between socket bytes and handler bytes. tls/ implements it; without one, bytes pass as
// they are and output() is the socket's own queue. Owned by its Connection, called on its thread.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual void onSocketConnected() = 0;  // start the handshake, if there is one
  virtual void onSocketRead(std::string_view bytes) = 0;
  virtual void onSocketEndOfStream() = 0;
  virtual void write(ByteQueue& plain,
                     ByteQueue& socket) = 0;        // wraps all of plain into the socket's queue
  virtual void closeNotify(ByteQueue& socket) = 0;  // before a Flush close
  virtual std::string_view protocol() const = 0;    // ALPN's result; empty if none
};

class Connection {
 public:
  static constexpr size_t kDefaultBufferLimit =
      1024 * 1024;  // Envoy's per_connection_buffer_limit_bytes

  // Adopts an accepted socket. The handler outlives the connection or is set again by setHandler().
  static std::unique_ptr<Connection> adopt(event::Loop& loop, int fd, const Address& remote,
                                           const Address& local, ConnectionHandler& handler);
  // Starts connecting; the result is onConnected() or onClosed(ConnectFailed), never from inside
  // this call.
  static std::unique_ptr<Connection> connect(event::Loop& loop, const Address& to,
                                             const Address* bind_to, ConnectionHandler& handler);
  virtual ~Connection() = default;

  virtual void setHandler(ConnectionHandler& handler) = 0;
  virtual void setTransport(
      std::unique_ptr<Transport> transport) = 0;  // before any byte has passed
  virtual Transport* transport() = 0;
  virtual void setWriteLimit(size_t high_watermark) = 0;

  // Bytes for the peer. A codec serialises into output() in place and then calls scheduleFlush();
  // write() does both. Its watermarks are the connection's own; do not set others.
  virtual ByteQueue& output() = 0;
  virtual void scheduleFlush() = 0;
  void write(std::string_view bytes) {
    output().append(bytes);
    scheduleFlush();
  }

  // Counted: reading resumes when as many resumes as pauses were called.
  virtual void pauseReading() = 0;
  virtual void resumeReading() = 0;

  virtual void close(CloseMode mode) = 0;
  virtual bool connected() const = 0;

  // The peer as seen by the socket, and the address that it reached. Original ones survive PROXY
  // protocol and the trusted X-Forwarded-For walk, which set the "effective" ones.
  virtual const Address& remoteAddress() const = 0;
  virtual const Address& localAddress() const = 0;
};

}  // namespace convoy::net
