#include "test/common/grpc_server.h"

#include <algorithm>
#include <utility>

#include "proxy/base/assert.h"
#include "proxy/net/connection.h"

namespace convoy::test {

class GrpcServer::Connection final : private net::ConnectionHandler {
 public:
  Connection(event::Loop& loop, RawSocket socket, GrpcPeer::Settings settings)
      : peer_(settings),
        loop_(loop),
        flush_task_([](void* self) { static_cast<Connection*>(self)->flush(); }, this) {
    net::ConnectionAddresses addresses(socket.remoteAddress(), socket.localAddress());
    connection_ = net::Connection::adopt(loop, socket.release(), std::move(addresses), *this);
    connection_->setWriteLimit(kWriteLimit);
    scheduleFlush();
  }

  GrpcPeer& peer() { return peer_; }
  bool alive() const { return alive_; }
  void scheduleFlush() { loop_.atEndOfTurn(flush_task_); }
  void writeRaw(std::string_view bytes) { connection_->write(bytes); }
  void close(net::CloseMode mode) {
    if (!alive_) return;
    flush();
    alive_ = false;
    connection_->close(mode);
  }

 private:
  static constexpr size_t kWriteLimit = 1024 * 1024;

  void onRead(std::string_view bytes) override {
    if (!peer_.receive(bytes)) {
      close(net::CloseMode::Now);
      return;
    }
    scheduleFlush();
  }
  void onEndOfStream() override { close(net::CloseMode::Flush); }
  void onClosed(net::CloseReason) override { alive_ = false; }
  void onWriteQueueAboveHigh() override {}
  void onWriteQueueBelowLow() override { scheduleFlush(); }

  void flush() {
    if (!alive_ || connection_->output().size() >= kWriteLimit) return;
    connection_->write(peer_.takeOutput(kWriteLimit));
  }

  GrpcPeer peer_;
  event::Loop& loop_;
  event::EndOfTurnTask flush_task_;
  std::unique_ptr<net::Connection> connection_;
  bool alive_ = true;
};

GrpcServer::GrpcServer(event::Loop& loop) : loop_(loop) {
  port_ = RawSocket::boundTo(*net::Address::fromIp("127.0.0.1", 0));
  address_ = port_.localAddress();
  listenAgain();
}

GrpcServer::~GrpcServer() {
  stopListening();
}

void GrpcServer::listenAgain() {
  CONVOY_ASSERT(poll_ == nullptr);
  listener_ = RawSocket::listeningOn(address_);
  poll_ = new uv_poll_t;
  poll_->data = this;
  CONVOY_ASSERT(uv_poll_init(loop_.uv(), poll_, listener_.fd()) == 0);
  uv_poll_start(poll_, UV_READABLE, [](uv_poll_t* poll, int, int) {
    static_cast<GrpcServer*>(poll->data)->onAcceptable();
  });
}

void GrpcServer::stopListening() {
  if (poll_ == nullptr) return;
  uv_poll_stop(poll_);
  uv_close(reinterpret_cast<uv_handle_t*>(std::exchange(poll_, nullptr)),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_poll_t*>(handle); });
  listener_.close();
}

void GrpcServer::onAcceptable() {
  const event::Loop::TurnScope turn(loop_);
  connections_.push_back(std::make_unique<Connection>(loop_, listener_.accept(), settings));
  if (on_connection) on_connection(connections_.size() - 1, connections_.back()->peer());
}

bool GrpcServer::alive(size_t index) const {
  return connections_.at(index)->alive();
}

size_t GrpcServer::aliveCount() const {
  return static_cast<size_t>(std::count_if(connections_.begin(), connections_.end(),
                                           [](const auto& c) { return c->alive(); }));
}

GrpcPeer& GrpcServer::peer(size_t index) {
  return connections_.at(index)->peer();
}

void GrpcServer::writeRaw(size_t index, std::string_view bytes) {
  connections_.at(index)->writeRaw(bytes);
}

void GrpcServer::closeConnection(size_t index, bool reset) {
  connections_.at(index)->close(reset ? net::CloseMode::Reset : net::CloseMode::Flush);
}

void GrpcServer::closeAll() {
  for (const auto& connection : connections_) connection->close(net::CloseMode::FlushNoDrain);
}

void GrpcServer::flush() {
  const event::Loop::TurnScope turn(loop_);
  for (const auto& connection : connections_) connection->scheduleFlush();
}

}  // namespace convoy::test
