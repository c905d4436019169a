#include "proxy/http/filter_path.h"

namespace convoy::http {

template <class Direction>
void FilterPath<Direction>::head(size_t from, Head& head, bool end) {
  for (size_t i = from; i < gates_.size(); ++i) {
    Gate& gate = gates_[i];
    const FilterVerdict verdict = Direction::head(*gate.filter, head, end);
    if (stopped_) return;
    if (verdict != FilterVerdict::Continue) {
      Held& held = close(gate, verdict);
      held.head = &head;
      held.head_ends = end;
      return;
    }
  }
  sink_.onPathHead(head, end);
}

template <class Direction>
void FilterPath<Direction>::body(size_t from, std::string_view bytes, bool end) {
  for (size_t i = from; i < gates_.size(); ++i) {
    Gate& gate = gates_[i];
    if (gate.state == FilterVerdict::Pause) return hold(gate, bytes, end, /*seen=*/false);
    const FilterVerdict verdict = Direction::body(*gate.filter, bytes, end);
    if (stopped_) return;
    if (gate.state == FilterVerdict::Collect) return hold(gate, bytes, end, /*seen=*/true);
    if (verdict != FilterVerdict::Continue) {
      close(gate, verdict);
      return hold(gate, bytes, end, /*seen=*/true);
    }
  }
  sink_.onPathBody(Direction{}, bytes, end);
}

template <class Direction>
void FilterPath<Direction>::trailers(size_t from, HeaderList& trailers) {
  for (size_t i = from; i < gates_.size(); ++i) {
    Gate& gate = gates_[i];
    if (gate.state != FilterVerdict::Pause) {
      const FilterVerdict verdict = Direction::trailers(*gate.filter, trailers);
      if (stopped_) return;
      if (gate.state == FilterVerdict::Continue && verdict == FilterVerdict::Continue) continue;
      if (gate.state == FilterVerdict::Continue) close(gate, verdict);
      gate.held->trailers_seen = true;
    }
    gate.held->trailers = &trailers;
    return;
  }
  sink_.onPathTrailers(Direction{}, trailers);
}

template <class Direction>
bool FilterPath<Direction>::clear(size_t from, size_t end) const {
  if (stopped_) return false;
  for (size_t i = from; i < end; ++i) {
    const Gate& gate = gates_[i];
    if (gate.state != FilterVerdict::Continue || gate.filter->looksAtBodies()) return false;
  }
  return true;
}

template <class Direction>
void FilterPath<Direction>::resume(size_t at) {
  Gate& gate = gates_[at];
  if (stopped_ || gate.state == FilterVerdict::Continue) return;
  gate.state = FilterVerdict::Continue;
  // Taken out first: what is let out may close the gate again, which then holds anew.
  const std::unique_ptr<Held> held = std::move(gate.held);
  if (held->head != nullptr) head(at + 1, *held->head, held->head_ends);
  if (!stopped_) letOutBody(at, *held);
  if (!stopped_ && held->trailers != nullptr) {
    trailers(held->trailers_seen ? at + 1 : at, *held->trailers);
  }
}

// Bytes that the filter has seen go on behind it; the rest is shown to it first. The end travels
// with the last bytes unless the filter has seen those but not the end.
template <class Direction>
void FilterPath<Direction>::letOutBody(size_t at, Held& held) {
  bool end_due = held.body_ends;
  while (!stopped_ && !held.body.empty()) {
    std::string_view bytes = held.body.front();
    const bool seen = held.seen > 0;
    if (seen) bytes = bytes.substr(0, held.seen);
    const bool ends = end_due && bytes.size() == held.body.size() && seen == held.body_end_seen;
    if (ends) end_due = false;
    body(seen ? at + 1 : at, bytes, ends);
    if (seen) held.seen -= bytes.size();
    held.body.consume(bytes.size());
  }
  if (!stopped_ && end_due) body(held.body_end_seen ? at + 1 : at, {}, true);
}

template <class Direction>
typename FilterPath<Direction>::Held& FilterPath<Direction>::close(Gate& gate,
                                                                   FilterVerdict verdict) {
  gate.state = verdict;
  gate.held = std::make_unique<Held>();
  net::ByteQueue::Watermarks marks{.context = this};
  const bool collects = verdict == FilterVerdict::Collect;
  if (collects) {
    marks.above_high = [](void* self) {
      auto* path = static_cast<FilterPath*>(self);
      if (!path->stopped_) path->sink_.onPathCollectedTooMuch(Direction{});
    };
  } else {
    marks.above_high = [](void* self) {
      auto* path = static_cast<FilterPath*>(self);
      if (!path->stopped_) path->sink_.onPathHeldAboveHigh(Direction{});
    };
    marks.below_low = [](void* self) {
      auto* path = static_cast<FilterPath*>(self);
      if (!path->stopped_) path->sink_.onPathHeldBelowLow(Direction{});
    };
  }
  gate.held->body.setWatermarks(collects ? limits_.collected : limits_.paused, marks);
  return *gate.held;
}

template <class Direction>
void FilterPath<Direction>::hold(Gate& gate, std::string_view bytes, bool end, bool seen) {
  Held& held = *gate.held;
  if (seen) held.seen += bytes.size();
  if (end) {
    held.body_ends = true;
    held.body_end_seen = seen;
  }
  held.body.append(bytes);
}

template class FilterPath<RequestDirection>;
template class FilterPath<ResponseDirection>;

}  // namespace convoy::http
