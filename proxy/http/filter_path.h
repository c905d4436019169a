#pragma once

// One direction of a filter chain: takes head, body and trailers, shows them to the filters in
// order, and gives what comes out at the end to a sink. Each filter has a gate: closed by a verdict
// of Pause or Collect, opened by resume(); what waits at a gate is held in order. Knows no codec,
// no socket and no stream.
//
// Direction gives the types and the hooks:
//   using Head; static FilterVerdict head(Filter&, Head&, bool); body(...); trailers(...)
// The sink gets onPathHead/onPathBody/onPathTrailers, and onPathHeldAboveHigh/BelowLow when a gate
// holds too much (one that collects: onPathCollectedTooMuch). Any call may end the stream: after
// stop() nothing is shown or sunk any more.

#include <cstddef>
#include <memory>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "proxy/http/filter.h"
#include "proxy/net/byte_queue.h"

namespace convoy::http {

struct RequestDirection {
  using Head = RequestHead;
  static FilterVerdict head(Filter& f, Head& h, bool end) { return f.onRequestHead(h, end); }
  static FilterVerdict body(Filter& f, std::string_view& b, bool end) {
    return f.onRequestBody(b, end);
  }
  static FilterVerdict trailers(Filter& f, HeaderList& t) { return f.onRequestTrailers(t); }
};

struct ResponseDirection {
  using Head = ResponseHead;
  static FilterVerdict head(Filter& f, Head& h, bool end) { return f.onResponseHead(h, end); }
  static FilterVerdict body(Filter& f, std::string_view& b, bool end) {
    return f.onResponseBody(b, end);
  }
  static FilterVerdict trailers(Filter& f, HeaderList& t) { return f.onResponseTrailers(t); }
};

// How much a gate holds; 0: no limit.
struct HoldLimits {
  size_t paused = 0;     // before the sender is told to wait
  size_t collected = 0;  // at all
};

template <class Direction>
class FilterPathSink {
 public:
  virtual void onPathHead(typename Direction::Head& head, bool end_of_stream) = 0;
  virtual void onPathBody(Direction, std::string_view bytes, bool end_of_stream) = 0;
  virtual void onPathTrailers(Direction, HeaderList& trailers) = 0;
  virtual void onPathHeldAboveHigh(Direction) = 0;
  virtual void onPathHeldBelowLow(Direction) = 0;
  // A gate that collects holds more than the limit: waiting would not help, since its filter waits
  // for the rest.
  virtual void onPathCollectedTooMuch(Direction) = 0;

 protected:
  ~FilterPathSink() = default;
};

template <class Direction>
class FilterPath {
  using Head = typename Direction::Head;

 public:
  FilterPath(FilterPathSink<Direction>& sink, HoldLimits limits) : sink_(sink), limits_(limits) {}
  FilterPath(const FilterPath&) = delete;
  FilterPath& operator=(const FilterPath&) = delete;

  // Appends a filter; all are added before the first event.
  void add(Filter& filter) { gates_.emplace_back(filter); }

  // Events enter at filter `from` (0: the first). Heads and trailers must stay where they are until
  // the stream ends.
  void head(size_t from, Head& head, bool end);
  void body(size_t from, std::string_view bytes, bool end);
  void trailers(size_t from, HeaderList& trailers);
  // Opens the gate of filter `at` and lets out what waits there. A no-op on an open gate, hence
  // also from inside the hook whose verdict will close it.
  void resume(size_t at);
  // Shows nothing more; what is held is dropped with the path.
  void stop() { stopped_ = true; }
  size_t size() const { return gates_.size(); }
  // The filters from..end-1 neither hold nor look at what passes.
  bool clear(size_t from, size_t end) const;

 private:
  // What waits at a closed gate, in order: the head, `seen` body bytes that the filter was shown
  // already, more bytes that it was not, then the end of the body or the trailers.
  struct Held {
    Head* head = nullptr;
    bool head_ends = false;
    net::ByteQueue body;
    size_t seen = 0;
    bool body_ends = false;
    bool body_end_seen = false;
    HeaderList* trailers = nullptr;
    bool trailers_seen = false;
  };
  struct Gate {
    explicit Gate(Filter& f) : filter(&f) {}
    Filter* filter;
    FilterVerdict state = FilterVerdict::Continue;  // Continue: open
    std::unique_ptr<Held> held;                     // exists while closed
  };

  Held& close(Gate& gate, FilterVerdict verdict);
  void hold(Gate& gate, std::string_view bytes, bool end, bool seen);
  void letOutBody(size_t at, Held& held);

  FilterPathSink<Direction>& sink_;
  const HoldLimits limits_;
  bool stopped_ = false;
  absl::InlinedVector<Gate, 4> gates_;
};

extern template class FilterPath<RequestDirection>;
extern template class FilterPath<ResponseDirection>;

}  // namespace convoy::http
