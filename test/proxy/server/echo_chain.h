#pragma once

// A network filter that ends a chain and is not HTTP: what a client sends comes back. Shows that a
// listener does not know who serves its chains.

#include <memory>
#include <string_view>
#include <utility>

#include "proxy/base/intrusive_list.h"
#include "proxy/server/chain_handler.h"
#include "proxy/server/terminal_filter.h"
#include "test/proxy/server/specs.h"

namespace convoy::server {

inline constexpr char kEcho[] = "test.echo";

class EchoChain final : public ChainHandler {
 public:
  explicit EchoChain(HandlerContext context) : context_(std::move(context)) {}

  void accept(int fd, net::ConnectionAddresses addresses) override {
    Echo& echo = add();
    echo.connection =
        net::Connection::adopt(context_.services.loop, fd, std::move(addresses), echo);
  }
  void adopt(std::unique_ptr<net::Connection> connection, std::string_view first_bytes) override {
    Echo& echo = add();
    echo.connection = std::move(connection);
    echo.connection->setHandler(echo);
    if (!first_bytes.empty()) echo.connection->deliverAgain(first_bytes);
  }
  void update(const PreparedChain&, std::shared_ptr<const net::ListenerSpec>) override {}
  void drain() override { closeAll(); }
  void closeAll() override {
    echoes_.forEach([](Echo& echo) { echo.connection->close(net::CloseMode::Now); });
  }
  size_t connections() const override { return count_; }

 private:
  struct Echo final : net::ConnectionHandler, base::ListHook<> {
    explicit Echo(EchoChain& its_chain) : chain(its_chain) {}
    void onRead(std::string_view bytes) override { connection->write(bytes); }
    void onEndOfStream() override { connection->close(net::CloseMode::Flush); }
    void onClosed(net::CloseReason) override { chain.onGone(*this); }
    void onWriteQueueAboveHigh() override {}
    void onWriteQueueBelowLow() override {}
    EchoChain& chain;
    std::unique_ptr<net::Connection> connection;
  };
  Echo& add() {
    Echo& echo = *new Echo(*this);
    echoes_.pushBack(echo);
    ++count_;
    return echo;
  }
  void onGone(Echo& echo) {
    echo.unlink();
    --count_;
    context_.services.loop.destroyAtEndOfTurn(std::unique_ptr<Echo>(&echo));
    context_.on_closed();
  }

  const HandlerContext context_;
  base::IntrusiveList<Echo> echoes_;  // owned
  size_t count_ = 0;
};

class PreparedEcho final : public PreparedTerminal {
 public:
  std::unique_ptr<ChainHandler> makeHandler(HandlerContext context) const override {
    return std::make_unique<EchoChain>(std::move(context));
  }
};

class EchoTerminal final : public TerminalFilter {
 public:
  absl::Status admit(const net::NetworkFilterSpec&) override { return absl::OkStatus(); }
  std::shared_ptr<const PreparedTerminal> prepare(
      const std::shared_ptr<const net::NetworkFilterSpec>&) override {
    return std::make_shared<PreparedEcho>();
  }
};

// Slice: as of chain() in specs.h.
inline std::shared_ptr<net::FilterChainSpec> echoChain(uint64_t slice) {
  auto filter = std::make_shared<net::NetworkFilterSpec>();
  filter->name = kEcho;
  return chain(std::move(filter), slice);
}

}  // namespace convoy::server
