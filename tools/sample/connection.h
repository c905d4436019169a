// One client connection of the sample backend: bytes in, requests one after the other, responses in
// order.
//
// Owned by its own libuv handle: created by `accept`, it deletes itself once the handle is closed.
// Everything happens on the loop's thread. Responses go out through one scratch buffer that all
// connections share; a connection that cannot send at once stops reading until it has.
#pragma once

#include <uv.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "tools/sample/request.h"
#include "tools/sample/responder.h"

namespace convoy::tools::sample {

class Connection;

// What all connections of the server share; outlives them.
struct Shared {
  Responder* responder = nullptr;
  Connection* first = nullptr;  // list of the open connections
  std::string out;              // responses of the connection that is being served
  char input[64 * 1024];        // bytes just read
};

class Connection {
 public:
  // Accepts one connection from `listener`. Counts it.
  static void accept(uv_stream_t* listener, Shared* shared);

  // Closes the connection if it is between requests, otherwise after its response.
  void drain();

  // Closes the connection at once.
  void close();

  Connection* next() const { return next_; }

 private:
  enum class State {
    Head,     // between requests, or inside a head
    Body,     // inside a request's body
    Delay,    // a whole request is in, its response waits for the timer
    Ending,   // the last response is on its way, then the connection closes
    Closing,  // the handle closes, nothing happens any more
  };

  struct Write {
    uv_write_t request;
    std::string bytes;
  };

  Connection(uv_loop_t* loop, bool unix_socket, Shared* shared);
  ~Connection();

  uv_stream_t* stream() { return &handle_.stream; }
  void startReading();
  void onInput(std::string_view bytes);
  void resume();
  std::string_view process(std::string_view bytes);
  std::string_view processHead(std::string_view bytes);
  std::string_view processBody(std::string_view bytes);
  void finishRequest(const RequestHead& head);
  void finishSavedRequest();
  void answer(const RequestHead& head);
  void startDelay(uint64_t delay_ms);
  void fail(int status, std::string_view text);
  void flush();
  void end();
  void closeHandles(bool reset);
  bool blocked() const { return writes_ > 0 || state_ == State::Delay || state_ >= State::Ending; }

  union {
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } handle_;
  const bool unix_socket_;
  Shared* const shared_;
  Connection* next_ = nullptr;
  Connection** link_ = nullptr;  // what points at this connection in the list

  State state_ = State::Head;
  bool reading_ = false;
  int writes_ = 0;       // writes that wait for the socket
  bool reset_ = false;   // `Ending` resets instead of closing
  bool drain_ = false;   // the next response is the last
  std::string pending_;  // input that cannot be processed yet
  std::string
      saved_;  // the current request, where it outlives the input: head, then body if it is echoed
  BodyReader body_;
  uv_timer_t* timer_ = nullptr;
};

}  // namespace convoy::tools::sample
