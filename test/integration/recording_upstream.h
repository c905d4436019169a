#pragma once

// An upstream that writes down what it receives, byte by byte as RFC 9112 (wire.h) or RFC 9113
// (wire_h2.h) reads it, and answers every complete request: 200, or, for the target "/scripted",
// the bytes that were set (HTTP/2: frames; those of a stream become frames of the request's).
// One thread serves all connections, so that take() knows that nothing is left unread.

#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "test/common/raw_socket.h"
#include "test/integration/http_peers.h"
#include "test/integration/wire.h"
#include "test/integration/wire_h2.h"

namespace convoy::test {

// What arrived since it was asked last, over all connections, in the order of their ends.
struct Received {
  std::vector<WireMessage> requests;
  int broken = 0;                   // requests that broke off, by a reset or with their connection
  int unfinished = 0;               // connections that are inside a request still
  std::vector<std::string> errors;  // bytes that are no HTTP
};

class RecordingUpstream {
 public:
  explicit RecordingUpstream(Speaks speaks = Speaks::Http1);
  ~RecordingUpstream();
  const net::Address& address() const { return address_; }

  // The answer to "/scripted": these bytes, and the connection's end behind them if `closes`.
  void script(std::string answer, bool closes);
  Received take();

 private:
  struct Peer {
    Peer(RawSocket accepted, Speaks speaks);
    const std::vector<WireMessage>& messages() const;
    const std::string& error() const;
    bool inside() const;
    void feed(std::string_view bytes);

    RawSocket socket;
    std::variant<WireReader, WireH2Reader> reader;
    size_t answered = 0;
  };

  void run();
  bool serveReady(int timeout_ms);
  bool readFrom(Peer& peer);  // false: it is over
  bool answer(Peer& peer);
  bool answerHttp2(const Peer& peer, const WireH2Reader& reader);
  void wake() const;

  const Speaks speaks_;
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
