#pragma once

// The layer between socket bytes and handler bytes: tls/ implements it. Without one, bytes pass as
// they are. A transport is owned by its Connection and called on its thread, never after
// onTransportFailed() or the connection's end.

#include <string_view>

#include "proxy/net/byte_queue.h"

namespace convoy::net {

// What a transport tells its connection. Any of these may close the connection; the transport
// itself stays alive until its own frames have returned.
class TransportCallbacks {
 public:
  virtual void onTransportConnected() = 0;                   // the handshake is done, once
  virtual void onTransportRead(std::string_view bytes) = 0;  // unwrapped bytes, never empty
  virtual void onTransportEndOfStream() = 0;                 // the peer's orderly end
  virtual void onTransportFailed() = 0;                      // CloseReason::TransportError
  // For bytes that are not wrapped data (handshake records): append, then scheduleFlush().
  virtual ByteQueue& socketOutput() = 0;
  virtual void scheduleFlush() = 0;

 protected:
  ~TransportCallbacks() = default;
};

class Transport {
 public:
  virtual ~Transport() = default;
  // First call, once.
  virtual void attach(TransportCallbacks& callbacks) = 0;
  virtual void onSocketConnected() = 0;  // start the handshake, if there is one
  virtual void onSocketRead(std::string_view bytes) = 0;
  virtual void onSocketEndOfStream() = 0;
  // Wraps plain into the socket's queue and consumes it; before the handshake is done, nothing.
  virtual void write(ByteQueue& plain, ByteQueue& socket) = 0;
  virtual void closeNotify(ByteQueue& socket) = 0;  // after the last byte of a Flush close
  virtual std::string_view protocol() const = 0;    // ALPN's result; empty if none
};

}  // namespace convoy::net
