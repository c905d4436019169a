#pragma once

// TLS on a net::Connection: BoringSSL between socket bytes and handler bytes. Its BIO reads from
// the bytes that the connection shows and writes into the connection's queue of wrapped bytes, so
// that no byte is copied twice and the connection alone talks to the kernel. Connection's thread.
//
// A client that ends the socket without TLS's own end (close_notify) is taken to have ended:
// browsers do, and HTTP's framing tells a cut request. A server that does so fails the connection
// (Failure::Truncated), since a response may be delimited by the end.

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/net/transport.h"
#include "proxy/tls/context.h"
#include "proxy/tls/failure.h"
#include "proxy/tls/metrics.h"

namespace convoy::tls {

class TlsTransport final : public net::Transport {
 public:
  // The metrics outlive the transport.
  TlsTransport(std::shared_ptr<const Context> context, TlsMetrics& metrics);
  ~TlsTransport() override;

  void attach(net::TransportCallbacks& callbacks) override { callbacks_ = &callbacks; }
  void onSocketConnected() override;
  void onSocketRead(std::string_view bytes) override;
  void onSocketEndOfStream() override;
  void write(net::ByteQueue& plain, net::ByteQueue& socket) override;
  void closeNotify(net::ByteQueue& socket) override;
  std::string_view protocol() const override;
  bool encrypts() const override { return true; }
  net::TransportInfo info() const override;
  std::string peerChainPem() const override;

  // For the library's callbacks.
  static TlsTransport& of(const SSL* ssl);
  const Context& context() const { return *context_; }
  TlsMetrics& metrics() { return metrics_; }
  // Why a callback made the handshake fail; the library only knows that it did.
  void setCause(Failure failure) { cause_ = failure; }
  SSL* sslForTest() { return ssl_.get(); }

 private:
  enum class State : uint8_t {
    Idle,         // the socket is not connected
    Handshaking,  // nothing of ours may be written or read
    Open,         // bytes flow both ways
    PeerEnded,    // the peer said close_notify; we may still write
    Failed,       // onTransportFailed() was called
  };

  static int onBioRead(BIO* bio, char* into, int room);
  static int onBioWrite(BIO* bio, const char* bytes, int count);
  static long onBioControl(BIO* bio, int command, long number, void* pointer);
  static const BIO_METHOD* bioMethod();

  void transition(State to) { state_ = to; }
  void drive();
  void handshake();
  void readAll();
  void onHandshakeDone();
  void fail(Failure failure);
  void failWithLibrary();

  const std::shared_ptr<const Context> context_;
  TlsMetrics& metrics_;
  net::TransportCallbacks* callbacks_ = nullptr;
  bssl::UniquePtr<SSL> ssl_;
  bool said_end_ = false;   // closeNotify() was called: nothing more is written
  std::string_view input_;  // not yet read by the library; only while onSocketRead() runs
  std::optional<net::PeerIdentity> peer_;
  State state_ = State::Idle;
  Failure failure_ = Failure::None;
  Failure cause_ = Failure::None;
  bool socket_ended_ = false;
};

}  // namespace convoy::tls
