#pragma once

// An upstream that writes down what it receives, byte by byte as RFC 9112 reads it (wire.h), and
// answers every complete request: 200, or, for the target "/scripted", the bytes that were set.
// One thread serves all connections, so that take() knows that nothing is left unread.

#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "test/common/raw_socket.h"
#include "test/integration/wire.h"

namespace convoy::test {

// What arrived since it was asked last, over all connections, in the order of their ends.
struct Received {
  std::vector<WireMessage> requests;
  int broken = 0;                   // connections that ended inside a request
  int unfinished = 0;               // connections that are inside a request still
  std::vector<std::string> errors;  // bytes that are no HTTP
};

class RecordingUpstream {
 public:
  RecordingUpstream();
  ~RecordingUpstream();
  const net::Address& address() const { return address_; }

  // The answer to "/scripted": these bytes, and the connection's end behind them if `closes`.
  void script(std::string answer, bool closes);
  Received take();

 private:
  struct Peer {
    explicit Peer(RawSocket accepted)
        : socket(std::move(accepted)), reader(WireReader::Role::Requests) {}
    RawSocket socket;
    WireReader reader;
    size_t answered = 0;
  };

  void run();
  bool serveReady(int timeout_ms);
  bool readFrom(Peer& peer);  // false: it is over
  bool answer(Peer& peer);
  void wake() const;

  RawSocket listening_;
  net::Address address_;
  int wake_[2];
  std::vector<Peer> peers_;  // of the thread
  Received received_;        // of the thread
  std::mutex mutex_;
  std::string answer_;                           // guarded by mutex_
  bool closes_ = false;                          // guarded by mutex_
  std::optional<std::promise<Received>> asked_;  // guarded by mutex_
  bool stopping_ = false;                        // guarded by mutex_
  std::thread thread_;
};

}  // namespace convoy::test
