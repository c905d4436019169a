#include "proxy/tls/tls_transport.h"

#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "proxy/base/assert.h"

namespace convoy::tls {

namespace {

constexpr size_t kRecordBytes = 16 * 1024;
// What one write() wraps: the rest stays where the watermarks count it.
constexpr size_t kBatchBytes = 4 * kRecordBytes;

// One transport reads at a time on a thread: what it unwraps is consumed or copied at once.
char* recordBuffer() {
  static thread_local std::unique_ptr<char[]> buffer(new char[kRecordBytes]);
  return buffer.get();
}

int exDataIndex() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

TlsTransport& TlsTransport::of(const SSL* ssl) {
  return *static_cast<TlsTransport*>(SSL_get_ex_data(ssl, exDataIndex()));
}

TlsTransport::TlsTransport(std::shared_ptr<const Context> context, TlsMetrics& metrics)
    : context_(std::move(context)), metrics_(metrics), ssl_(context_->newSsl()) {
  CONVOY_ASSERT(ssl_ != nullptr);
  SSL_set_ex_data(ssl_.get(), exDataIndex(), this);
  BIO* const bio = BIO_new(bioMethod());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  // What only a handshake needs goes once it is done.
  SSL_set_shed_handshake_config(ssl_.get(), 1);
}

TlsTransport::~TlsTransport() = default;

// --- the BIO ---

const BIO_METHOD* TlsTransport::bioMethod() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* const made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "convoy");
    BIO_meth_set_read(made, onBioRead);
    BIO_meth_set_write(made, onBioWrite);
    BIO_meth_set_ctrl(made, onBioControl);
    return made;
  }();
  return method;
}

int TlsTransport::onBioRead(BIO* bio, char* into, int room) {
  auto& self = *static_cast<TlsTransport*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (self.input_.empty()) {
    if (self.socket_ended_) return 0;
    BIO_set_retry_read(bio);
    return -1;
  }
  const size_t count = std::min(self.input_.size(), static_cast<size_t>(room));
  std::memcpy(into, self.input_.data(), count);
  self.input_.remove_prefix(count);
  return static_cast<int>(count);
}

int TlsTransport::onBioWrite(BIO* bio, const char* bytes, int count) {
  auto& self = *static_cast<TlsTransport*>(BIO_get_data(bio));
  self.callbacks_->socketOutput().append({bytes, static_cast<size_t>(count)});
  self.callbacks_->scheduleFlush();
  return count;
}

long TlsTransport::onBioControl(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// --- from the socket ---

void TlsTransport::onSocketConnected() {
  transition(State::Handshaking);
  // A client speaks first.
  if (!context_->isServer()) drive();
}

void TlsTransport::onSocketRead(std::string_view bytes) {
  input_ = bytes;
  drive();
  input_ = {};
}

void TlsTransport::onSocketEndOfStream() {
  socket_ended_ = true;
  switch (state_) {
    case State::Handshaking:
      fail(Failure::HandshakeEnded);
      return;
    case State::Open:
      if (!context_->isServer()) {
        fail(Failure::Truncated);
        return;
      }
      transition(State::PeerEnded);
      callbacks_->onTransportEndOfStream();
      return;
    case State::Idle:
    case State::PeerEnded:
    case State::Failed:
      return;
  }
}

void TlsTransport::drive() {
  ERR_clear_error();
  if (state_ == State::Handshaking) handshake();
  if (state_ == State::Open) readAll();
}

void TlsTransport::handshake() {
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    onHandshakeDone();
  } else if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) {
    failWithLibrary();
  }
}

void TlsTransport::onHandshakeDone() {
  transition(State::Open);
  metrics_.handshake.add();
  (SSL_version(ssl_.get()) == TLS1_3_VERSION ? metrics_.tls13 : metrics_.tls12).add();
  if (SSL_session_reused(ssl_.get())) metrics_.session_reused.add();
  const bssl::UniquePtr<X509> certificate(SSL_get_peer_certificate(ssl_.get()));
  if (certificate == nullptr) {
    metrics_.no_certificate.add();
  } else if (context_->isServer() && context_->validation() != nullptr &&
             context_->validation()->verifies()) {
    peer_ = identityOf(certificate.get());
    if (X509* const ours = SSL_get_certificate(ssl_.get()); ours != nullptr) {
      peer_->our_uris = subjectAlternativeNames(ours, SanKind::Uri);
    }
  }
  callbacks_->onTransportConnected();
}

void TlsTransport::readAll() {
  while (state_ == State::Open) {
    const int count = SSL_read(ssl_.get(), recordBuffer(), kRecordBytes);
    if (count > 0) {
      callbacks_->onTransportRead({recordBuffer(), static_cast<size_t>(count)});
      continue;
    }
    switch (SSL_get_error(ssl_.get(), count)) {
      case SSL_ERROR_WANT_READ:
        return;
      case SSL_ERROR_ZERO_RETURN:
        transition(State::PeerEnded);
        callbacks_->onTransportEndOfStream();
        return;
      default:
        failWithLibrary();
        return;
    }
  }
}

void TlsTransport::failWithLibrary() {
  const Failure failure = takeLibraryFailure();
  fail(cause_ != Failure::None ? cause_ : failure);
}

void TlsTransport::fail(Failure failure) {
  failure_ = failure;
  transition(State::Failed);
  metrics_.countFailure(failure);
  callbacks_->onTransportFailed();
}

// --- to the socket ---

void TlsTransport::write(net::ByteQueue& plain, net::ByteQueue& socket) {
  ERR_clear_error();
  while ((state_ == State::Open || state_ == State::PeerEnded) && !said_end_ && !plain.empty() &&
         socket.size() < kBatchBytes) {
    const std::string_view bytes = plain.front().substr(0, kRecordBytes);
    const int count = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
    if (count <= 0) {
      failWithLibrary();
      return;
    }
    plain.consume(static_cast<size_t>(count));
  }
}

void TlsTransport::closeNotify(net::ByteQueue&) {
  if (state_ != State::Open && state_ != State::PeerEnded) return;
  if (std::exchange(said_end_, true)) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

// --- what is known ---

std::string_view TlsTransport::protocol() const {
  const uint8_t* bytes = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &bytes, &size);
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string TlsTransport::peerChainPem() const {
  std::string all;
  const STACK_OF(X509)* const chain = SSL_get_peer_full_cert_chain(ssl_.get());
  for (size_t i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
    all += pemOf(sk_X509_value(chain, i));
  }
  return all;
}

net::TransportInfo TlsTransport::info() const {
  net::TransportInfo info;
  info.secure = true;
  if (failure_ != Failure::None) info.failure = name(failure_);
  if (const char* const host = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name)) {
    info.server_name = host;
  }
  if (state_ == State::Idle || state_ == State::Handshaking) return info;
  info.version = SSL_get_version(ssl_.get());
  if (const SSL_CIPHER* const cipher = SSL_get_current_cipher(ssl_.get())) {
    info.cipher = SSL_CIPHER_standard_name(cipher);
  }
  info.resumed = SSL_session_reused(ssl_.get()) == 1;
  if (peer_.has_value()) info.peer = &*peer_;
  return info;
}

}  // namespace convoy::tls
