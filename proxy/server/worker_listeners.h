#pragma once

// The listeners of one worker: accepts on its own sockets, finds the filter chain, and hands the
// connection to the chain's handler. Configuration comes from main by posted calls. Worker's thread
// only.
//
// A chain whose content hash is unchanged keeps its connections over an update; a chain that
// changed or went away is drained: its handler lives on in `draining_` until its last connection is
// closed or the drain time is over.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "proxy/event/loop.h"
#include "proxy/filter/registry.h"
#include "proxy/net/acceptor.h"
#include "proxy/net/filter_chain_match.h"
#include "proxy/server/chain_handler.h"
#include "proxy/server/hello_reader.h"
#include "proxy/server/prepared.h"

namespace convoy::server {

class WorkerListeners final : public HelloReader::Owner {
 public:
  WorkerListeners(int worker, event::Loop& loop, const filter::Registry& filters,
                  const filter::WorkerServices& services, event::Duration drain_time);
  ~WorkerListeners();

  // Starts accepting on a socket for this listener. The socket stays main's.
  void addSocket(const std::string& listener, const net::ListenSocket& socket);
  void removeSocket(const std::string& listener, int fd);
  // Adds the listener or replaces its configuration.
  void update(std::shared_ptr<const PreparedListener> listener);
  // Stops accepting and drains; main closes the sockets afterwards.
  void remove(const std::string& listener);
  // All of them: answers say goodbye at once, accepting goes on so that no client is refused
  // meanwhile.
  void drainAll();
  void closeAll();
  // Takes who has connected already, then nobody any more.
  void stopAccepting();
  size_t connections() const;

 private:
  struct Chain {
    std::shared_ptr<const net::FilterChainSpec> spec;
    std::unique_ptr<ChainHandler> handler;
  };
  struct Listener;
  // Waits for its ClientHello. Holds its places of the limits, which are given back where they were
  // taken.
  struct Waiting final : HelloReader {
    Waiting(WorkerListeners& owner, Listener& its_listener);
    Listener& listener;
    const std::shared_ptr<const PreparedListener> config;
  };
  struct Listener {
    std::shared_ptr<const PreparedListener> config;
    base::IntrusiveList<Waiting> waiting;  // owned
    std::vector<Chain> chains;
    std::map<int, std::unique_ptr<net::Acceptor>> acceptors;  // by descriptor
  };
  struct Draining {
    std::unique_ptr<ChainHandler> handler;
    std::unique_ptr<event::Timer> deadline;
  };

  ListenerMetrics& metrics(const Listener& listener) const {
    return listener.config->metrics->slot(worker_);
  }
  bool letIn(const Listener& listener) const;
  static void giveBack(const PreparedListener& config);
  void onHello(HelloReader& reader, HelloReader::End end) override;
  void startReading(Listener& listener, int fd, net::ConnectionAddresses addresses);
  void handOver(Waiting& waiting, HelloReader::End end);
  void dropWaiting(Listener& listener);
  ChainHandler* chainFor(Listener& listener, const net::FilterChainQuery& query);
  std::unique_ptr<ChainHandler> makeHandler(const PreparedChain& chain,
                                            const PreparedListener& config);
  void accept(Listener& listener, int fd, net::ConnectionAddresses addresses);
  void retire(std::unique_ptr<ChainHandler> handler);
  void forgetDrained();

  const int worker_;
  event::Loop& loop_;
  const filter::Registry& filters_;
  const filter::WorkerServices services_;
  const event::Duration drain_time_;
  bool draining_all_ = false;
  std::map<std::string, std::unique_ptr<Listener>> listeners_;
  std::vector<Draining> draining_;
  event::EndOfTurnTask forget_drained_;
};

}  // namespace convoy::server
