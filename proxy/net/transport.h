#pragma once

// The layer between socket bytes and handler bytes: tls/ implements it. Without one, bytes pass as
// they are. A transport is owned by its Connection and called on its thread, never after
// onTransportFailed() or the connection's end.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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

// Who the peer is, by a certificate that was verified.
struct PeerIdentity {
  std::string subject;                 // RFC 2253
  std::vector<std::string> uris;       // subject alternative names, SPIFFE ids among them
  std::vector<std::string> dns_names;  // likewise
  std::string sha256;                  // of the certificate's DER, lower-case hexadecimal
  std::string pem;                     // the certificate
  std::vector<std::string> our_uris;   // URI names of the certificate that we showed
};

// What became known during the handshake. Views live as long as the transport.
struct TransportInfo {
  std::string_view version;      // "TLSv1.3"; empty before the handshake is done
  std::string_view cipher;       // IANA's name
  std::string_view server_name;  // SNI; empty if none
  std::string_view failure;      // why the transport failed, a stable name; empty if it did not
  const PeerIdentity* peer = nullptr;  // null: no certificate, or not a verified one
  bool secure = false;                 // the bytes on the wire are encrypted
  bool resumed = false;                // an earlier session was resumed
};

class Transport {
 public:
  virtual ~Transport() = default;
  // First call, once.
  virtual void attach(TransportCallbacks& callbacks) = 0;
  virtual void onSocketConnected() = 0;  // start the handshake, if there is one
  virtual void onSocketRead(std::string_view bytes) = 0;
  virtual void onSocketEndOfStream() = 0;
  // Wraps plain into the socket's queue and consumes it, at least a record of it and at will not
  // all; before the handshake is done, nothing.
  virtual void write(ByteQueue& plain, ByteQueue& socket) = 0;
  virtual void closeNotify(ByteQueue& socket) = 0;  // after the last byte of a Flush close
  virtual std::string_view protocol() const = 0;    // ALPN's result; empty if none
  virtual bool encrypts() const { return false; }
  virtual TransportInfo info() const { return {}; }
  // The certificates that the peer sent, in PEM, the leaf first. Made anew by each call.
  virtual std::string peerChainPem() const { return {}; }
};

// Makes transports for the connections of one filter chain or cluster. Any worker's thread.
class TransportFactory {
 public:
  virtual ~TransportFactory() = default;
  // Null: not possible now (its certificates have not arrived).
  virtual std::unique_ptr<Transport> create(size_t worker) = 0;
};

}  // namespace convoy::net
