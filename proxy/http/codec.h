#pragma once

// What every HTTP codec is, seen from both sides: bytes in, events out, no socket and no clock. A
// codec connection carries many streams (HTTP/1.x: one at a time). Codecs write into the
// connection's output queue and tell nobody: the owner flushes. A codec belongs to its connection's
// thread and is freed while the connection is idle (idle() says when that is allowed).
//
// Life of a stream on a server: newStream() once a head is complete, then the receiver gets head,
// body, trailers, in this order, each callback with end_of_stream where the message ends. It
// answers through the ResponseSender it was given. After both directions ended, or after reset in
// either direction, the codec forgets the stream and calls no receiver method any more. Callbacks
// may call senders, including reset(), from inside. A receiver may be destroyed only outside of a
// callback on it (Loop::destroyAtEndOfTurn), and only after its stream has ended in both
// directions, was reset by the codec, or was given up by reset() on its sender: until then the
// codec calls it.
//
// Tunnels (message.h: asksForTunnel()). Whatever the protocol, a request that asks for one comes
// and goes without a body and without end_of_stream, and an upgrade as HTTP/1.1 writes it: a GET
// with `upgrade`, answered by 101 (HTTP/2's extended CONNECT, RFC 8441, and its 200 are made of it
// and into it by the codecs). A response that opens the tunnel makes all further bytes of both
// directions its own; each direction ends by itself. Bytes that a client sends before are given to
// the receiver as body: nobody may forward them before the tunnel is open. After any other response
// an HTTP/1.x connection closes.

#include <cstdint>
#include <string_view>

#include "proxy/http/failure.h"
#include "proxy/http/message.h"
#include "proxy/net/byte_queue.h"
#include "proxy/net/splice.h"

namespace convoy::http {

// Back-pressure, in both senders and receivers: "stop producing", "go on".
class FlowListener {
 public:
  virtual void onSendQueueAboveHigh() = 0;
  virtual void onSendQueueBelowLow() = 0;

 protected:
  ~FlowListener() = default;
};

// Bodies that nobody looks at: instead of being dispatched, bytes may go from socket to socket. The
// owner asks the codec (spliceBody), the codec its receiver, and so on along the way that the bytes
// would take, to the other connection; each may decline, and counts what was moved on the way back.
// `from` is for that connection only, `most` what is left of the body. The end of the body comes as
// always, without bytes.

// The server side's view of an arriving request.
class RequestReceiver : public FlowListener {
 public:
  // Views in head are valid during the call only: copy (head.copyInto(arena)) what must outlive it.
  virtual void onRequestHead(RequestHead& head, bool end_of_stream) = 0;
  virtual void onRequestBody(std::string_view bytes, bool end_of_stream) = 0;
  virtual void onRequestTrailers(HeaderList& trailers) = 0;  // ends the stream
  virtual net::SpliceResult spliceRequestBody(net::Connection& /*from*/, uint64_t /*most*/) {
    return {};
  }
  // The stream died: peer reset, connection lost, framing broken. Nothing more can be sent on it.
  virtual void onRequestReset(Failure failure) = 0;

 protected:
  ~RequestReceiver() = default;
};

// The client side's view of an arriving response.
class ResponseReceiver : public FlowListener {
 public:
  virtual void onInformational(ResponseHead& head) = 0;  // 1xx but 101
  virtual void onResponseHead(ResponseHead& head, bool end_of_stream) = 0;
  virtual void onResponseBody(std::string_view bytes, bool end_of_stream) = 0;
  virtual void onResponseTrailers(HeaderList& trailers) = 0;
  virtual net::SpliceResult spliceResponseBody(net::Connection& /*from*/, uint64_t /*most*/) {
    return {};
  }
  virtual void onResponseReset(Failure failure) = 0;

 protected:
  ~ResponseReceiver() = default;
};

// The sending half of a stream, owned by the codec. Invalid after the stream ended in both
// directions or was reset.
class StreamSender {
 public:
  virtual void sendBody(std::string_view bytes, bool end_of_stream) = 0;
  virtual void sendTrailers(const HeaderList& trailers) = 0;  // ends the stream
  // Sends body bytes that `from` has to read: exactly `most` are left of the body.
  virtual net::SpliceResult sendBodyOf(net::Connection& /*from*/, uint64_t /*most*/) { return {}; }
  // How much the peer has taken of what was sent here: only whether it changes means something,
  // that the peer is slow, not gone. For time-outs to ask when they fire, since it is a system
  // call. HTTP/2 counts the stream's own bytes as they leave it, and the connection's where only
  // that holds them up.
  virtual uint64_t taken() = 0;
  // Aborts the stream so that the peer can tell. HTTP/1.x can only abort its connection:
  // mustClose() turns true, and the owner closes with CloseMode::Reset once a response has begun.
  // The receiver hears nothing more. On a stream that has ended it does nothing.
  virtual void reset(Failure failure) = 0;
  // Stops and resumes the arrival of this stream's body (counted), for back-pressure. What has been
  // read already still arrives. Behind the body's end HTTP/1.x has nothing more to stop; HTTP/2
  // withholds from its windows what arrived during a pause until that is resumed. Pauses end when
  // both directions have ended, and with a reset.
  virtual void pauseReceiving() = 0;
  virtual void resumeReceiving() = 0;

 protected:
  ~StreamSender() = default;
};

class ResponseSender : public StreamSender {
 public:
  virtual void sendInformational(const ResponseHead& head) = 0;
  virtual void sendHead(const ResponseHead& head, bool end_of_stream) = 0;
  // Before the response head: what is left of the request will not be read. HTTP/1.x says
  // "Connection: close" and ends with this response; elsewhere the connection does not care.
  virtual void leaveRequestUnread() = 0;

 protected:
  ~ResponseSender() = default;
};

class RequestSender : public StreamSender {
 public:
  // The mark of whoever asked for the stream; codecs leave it alone.
  void* owner = nullptr;
  virtual void sendHead(const RequestHead& head, bool end_of_stream) = 0;

 protected:
  ~RequestSender() = default;
};

// What a codec asks of the connection that it sits on.
class CodecConnection {
 public:
  virtual net::ByteQueue& output() = 0;
  // Stop and go of reading from the peer, counted (HTTP/1.x back-pressure; HTTP/2 uses windows).
  virtual void pauseReading() = 0;
  virtual void resumeReading() = 0;
  // Much of a body is to come, of a length that is known: the owner may try spliceBody().
  virtual void expectBody() {}
  // net::Connection's.
  virtual size_t sendNow(std::string_view /*bytes*/) { return 0; }
  virtual net::SpliceResult spliceFrom(net::Connection& /*from*/, uint64_t /*most*/) { return {}; }
  virtual uint32_t acknowledged() { return 0; }
  virtual bool unsent() const { return false; }
  // HTTP/1.x, one direction of a tunnel has ended: FIN behind what is in the output; reading goes
  // on.
  virtual void endSending() {}

 protected:
  ~CodecConnection() = default;
};

class ServerCodecHandler : public CodecConnection {
 public:
  // A head is complete: who receives it? The sender is the stream's other half. Never null.
  virtual RequestReceiver& newStream(ResponseSender& sender) = 0;
  // The peer broke the protocol: the codec wants this failure answered if the protocol can, then
  // the connection closed. Called at most once; further bytes are dropped. Before a stream existed,
  // the answer goes to senderForError(). Inside the body of a running stream (BadBody) the receiver
  // gets no more of the request, but its sender still works: answer if no head was sent, else
  // reset. `detail` is stable and lives for ever.
  virtual void onProtocolError(Failure failure, std::string_view detail) = 0;
  // HTTP/2: one request is refused, the connection goes on. The answer goes to the sender, which
  // has no receiver; null if the stream was reset already. `detail` as above. `method`: as far as
  // the head could be read; during the call.
  virtual void onRequestRefused(ResponseSender* /*sender*/, Failure /*failure*/,
                                std::string_view /*detail*/, std::string_view /*method*/) {}
  // Both directions of a stream have ended; HTTP/1.x: the connection may be reused unless
  // mustClose().
  virtual void onStreamComplete(ResponseSender& sender) = 0;

 protected:
  ~ServerCodecHandler() = default;
};

class ServerCodec {
 public:
  virtual ~ServerCodec() = default;
  // Consumes bytes and calls receivers. Returns how many bytes were taken: fewer than given only
  // when an HTTP/1.x request is still being answered (pipelining), or the output is above its high
  // mark: the caller keeps the rest, pauses reading, and calls again after onStreamComplete() and
  // with the output below its low mark.
  virtual size_t dispatch(std::string_view bytes) = 0;
  // Instead of dispatch(): what `from`, the connection, has to read goes on unseen.
  virtual net::SpliceResult spliceBody(net::Connection& /*from*/) { return {}; }
  // The peer sent FIN: resets requests that are not complete; others may still be answered.
  virtual void onEndOfStream() = 0;
  virtual void onConnectionLost(Failure why) = 0;  // resets every stream
  // Drain: HTTP/1.x says "Connection: close" with the next response head, HTTP/2 says that no
  // stream should follow, and takes those that are on their way.
  virtual void goAway() = 0;
  // No stream after those that are here.
  virtual void goAwayNow() { goAway(); }
  // Why the connection ends, to be said with its last word, where the protocol has room for it.
  virtual void explainEnd(std::string_view /*why*/) {}
  // After a protocol error, or instead of a head that does not arrive: where to send a response to
  // the request that could not be read. It has no receiver, closes the connection, and ends with
  // onStreamComplete(). Null if there is nothing that could be answered.
  virtual ResponseSender* senderForError() = 0;
  // After the running response (or now, if none) the connection ends.
  virtual bool mustClose() const = 0;
  // No stream and no partial message: a codec that is not multiplexed may be freed.
  virtual bool idle() const = 0;
  // A head, or what comes before the first one, is half here.
  virtual bool receivingHead() const = 0;
  // Streams run side by side and end one by one; the codec holds the connection's state, to its
  // end. Otherwise (HTTP/1.x) a stream that is broken off takes the connection with it.
  virtual bool multiplexed() const { return false; }
  // Resets streams whose response is complete above and has not moved since the last call, since
  // the peer's window is shut, or its connection's output, in which they wait, does not move.
  // Returns how many.
  virtual size_t resetStalledStreams(bool /*output_moves*/) { return 0; }
  virtual void onOutputAboveHigh() = 0;  // the connection's output queue crossed its marks
  virtual void onOutputBelowLow() = 0;
  virtual Protocol protocol() const = 0;
};

class ClientCodecHandler : public CodecConnection {
 public:
  // The response of this stream and its request are complete: HTTP/1.x connections may be reused
  // unless mustClose().
  virtual void onStreamComplete(RequestSender& sender) = 0;
  // The connection is of no more use. HTTP/1.x: its stream, if any, has been reset; HTTP/2: its
  // streams will be next.
  virtual void onProtocolError(Failure failure, std::string_view detail) = 0;
  virtual void onGoAway() = 0;  // no new streams here
  // HTTP/2: this stream is over, its receiver has heard why; the others go on.
  virtual void onStreamReset(RequestSender& /*sender*/) {}
  // HTTP/2: the server allows this many streams at a time from now on; 0: none for now.
  virtual void onMaxStreams(uint32_t /*streams*/) {}

 protected:
  ~ClientCodecHandler() = default;
};

class ClientCodec {
 public:
  virtual ~ClientCodec() = default;
  // Writes what goes before the first stream. Without it that goes with the first stream.
  virtual void start() {}
  virtual RequestSender& newStream(ResponseReceiver& receiver) = 0;  // REQUIRES: a stream is free
  virtual void dispatch(std::string_view bytes) = 0;
  virtual net::SpliceResult spliceBody(net::Connection& /*from*/) { return {}; }  // see ServerCodec
  virtual void onEndOfStream() = 0;
  virtual void onConnectionLost(Failure why) = 0;
  virtual bool mustClose() const = 0;
  // The server has said that it will go away, as one that drains does (RFC 9113 6.8: GOAWAY of the
  // highest number). One that fails says another number, or nothing.
  virtual bool endIsAnnounced() const { return false; }
  virtual bool idle() const = 0;
  // The server takes requests with `upgrade`. One of HTTP/2 says so first (RFC 8441 3).
  virtual bool takesUpgrades() const { return true; }
  // Asks the peer for a sign of life: any byte that comes is one. HTTP/1.x has no such question.
  virtual void ping() {}
  virtual void onOutputAboveHigh() = 0;
  virtual void onOutputBelowLow() = 0;
  virtual Protocol protocol() const = 0;
};

}  // namespace convoy::http
