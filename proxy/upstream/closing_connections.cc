#include "proxy/upstream/closing_connections.h"

#include <utility>

namespace convoy::upstream {

class ClosingConnections::Entry final : public net::ConnectionHandler, public base::ListHook<> {
 public:
  Entry(ClosingConnections& owner, std::unique_ptr<net::Connection> connection)
      : owner_(owner), connection_(std::move(connection)) {
    connection_->setHandler(*this);
  }

  void onRead(std::string_view) override {}
  void onEndOfStream() override {}
  void onWriteQueueAboveHigh() override {}
  void onWriteQueueBelowLow() override {}
  void onClosed(net::CloseReason) override {
    unlink();
    --owner_.size_;
    connection_->loop().destroyAtEndOfTurn(std::unique_ptr<Entry>(this));
  }

 private:
  ClosingConnections& owner_;
  const std::unique_ptr<net::Connection> connection_;
};

void ClosingConnections::add(std::unique_ptr<net::Connection> connection) {
  if (shut_down_) return;
  entries_.pushBack(*new Entry(*this, std::move(connection)));
  ++size_;
}

void ClosingConnections::shutdown() {
  shut_down_ = true;
  while (!entries_.empty()) delete &entries_.popFront();
  size_ = 0;
}

}  // namespace convoy::upstream
