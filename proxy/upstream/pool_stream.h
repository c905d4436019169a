#pragma once

// One stream from the moment it is asked for until it has ended: first it waits in its pool's
// queue, then it stands between its caller and the codec, so that the pool learns of everything
// that ends it. Recycled at the end of the turn in which it ended; until then calls on it do
// nothing. Worker's thread only.

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "proxy/base/intrusive_list.h"
#include "proxy/event/loop.h"
#include "proxy/http/codec.h"
#include "proxy/upstream/conn_pool.h"

namespace convoy::upstream {

class PooledConnection;
struct ClusterMetrics;

class PoolStream final : public PendingStream,
                         public http::RequestSender,
                         public UpstreamConnectionInfo,
                         public base::ListHook<> {
 public:
  enum class State : uint8_t {
    Free,     // recycled
    Pending,  // waits for a connection, in its pool's queue
    Failing,  // out of the queue; its caller is about to hear that it failed
    Active,   // on a connection
    Ended,    // over; recycled at the end of the turn
  };

  // Free -> Pending.
  void start(HostLease lease, http::ResponseReceiver& receiver, PoolCallbacks& callbacks);
  // Pending -> Active. holds_request: a permit of the request breaker goes with the stream.
  void activate(PooledConnection& connection, http::RequestSender& codec_sender,
                bool holds_request);
  // Pending -> Failing.
  void fail() { transition(State::Failing); }
  // Pending, Failing or Active -> Ended; gives back what the pick took.
  void end();

  State state() const { return state_; }
  HostPool& pool() const { return *lease_.ref().pool(); }
  PoolCallbacks& callbacks() const { return *callbacks_; }
  http::ResponseReceiver& receiver() const { return *receiver_; }
  http::RequestSender* codecSender() const { return codec_sender_; }
  bool holdsRequest() const { return holds_request_; }

  // http::RequestSender
  void sendHead(const http::RequestHead& head, bool end_of_stream) override;
  void sendBody(std::string_view bytes, bool end_of_stream) override;
  void sendTrailers(const http::HeaderList& trailers) override;
  net::SpliceResult sendBodyOf(net::Connection& from, uint64_t most) override;
  uint64_t taken() override;
  void reset(http::Failure failure) override;
  void pauseReceiving() override;
  void resumeReceiving() override;

  // UpstreamConnectionInfo
  const net::Address& remoteAddress() const override;
  const net::Address& localAddress() override;
  uint64_t streamsBefore() const override { return streams_before_; }
  bool bytesReceived() const override;
  bool mayHaveCrossed() const override { return was_kept_ && !connectionRead(); }
  bool drains() const override;
  bool takesUpgrades() const override;
  void noteIdleLimit(event::Duration limit) override { pool().noteIdleLimit(limit); }

 private:
  friend class PoolStreamCache;
  void transition(State to);
  bool connectionRead() const;
  ClusterMetrics& metrics() const;

  State state_ = State::Free;
  bool holds_request_ = false;
  uint32_t pauses_ = 0;    // of its receiving, not resumed yet
  bool was_kept_ = false;  // the connection, idle between two streams
  HostLease lease_;
  http::ResponseReceiver* receiver_ = nullptr;
  PoolCallbacks* callbacks_ = nullptr;
  PooledConnection* connection_ = nullptr;
  http::RequestSender* codec_sender_ = nullptr;
  uint64_t streams_before_ = 0;
  uint64_t reads_before_ = 0;
};

// A worker's streams: taken and given back without allocation once there are enough.
class PoolStreamCache {
 public:
  explicit PoolStreamCache(event::Loop& loop);
  PoolStreamCache(const PoolStreamCache&) = delete;
  PoolStreamCache& operator=(const PoolStreamCache&) = delete;

  PoolStream& take();
  // An ended stream, to be taken again from the next turn on.
  void giveBack(PoolStream& stream);
  size_t sizeForTest() const { return all_.size(); }

 private:
  static void recycle(void* self);

  event::Loop& loop_;
  event::EndOfTurnTask recycle_;
  std::vector<std::unique_ptr<PoolStream>> all_;
  base::IntrusiveList<PoolStream> free_;
  base::IntrusiveList<PoolStream> ended_;
};

}  // namespace convoy::upstream
