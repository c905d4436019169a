#include "proxy/http/filter_path.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace convoy::http {
namespace {

// Writes down what it is shown, and answers with the verdicts that the test sets.
class Recorder final : public Filter {
 public:
  Recorder(std::string name, std::string& log) : name_(std::move(name)), log_(log) {}
  FilterVerdict onRequestHead(RequestHead&, bool end) override {
    return note("head", {}, end, on_head);
  }
  FilterVerdict onRequestBody(std::string_view& bytes, bool end) override {
    return note("body:", bytes, end, on_body);
  }
  FilterVerdict onRequestTrailers(HeaderList&) override {
    return note("trailers", {}, true, on_trailers);
  }

  bool looksAtBodies() const override { return looks; }

  bool looks = true;
  FilterVerdict on_head = FilterVerdict::Continue;
  FilterVerdict on_body = FilterVerdict::Continue;
  FilterVerdict on_trailers = FilterVerdict::Continue;

 private:
  FilterVerdict note(std::string_view what, std::string_view bytes, bool end,
                     FilterVerdict verdict) {
    log_.append(name_).append(".").append(what).append(bytes).append(end ? "! " : " ");
    return verdict;
  }
  const std::string name_;
  std::string& log_;
};

class Sink final : public FilterPathSink<RequestDirection> {
 public:
  explicit Sink(std::string& log) : log_(log) {}
  void onPathHead(RequestHead&, bool end) override {
    log_.append("out.head").append(end ? "! " : " ");
  }
  void onPathBody(RequestDirection, std::string_view bytes, bool end) override {
    log_.append("out.body:").append(bytes).append(end ? "! " : " ");
  }
  void onPathTrailers(RequestDirection, HeaderList&) override { log_.append("out.trailers! "); }
  void onPathHeldAboveHigh(RequestDirection) override { log_.append("held.high "); }
  void onPathHeldBelowLow(RequestDirection) override { log_.append("held.low "); }
  void onPathCollectedTooMuch(RequestDirection) override { log_.append("too.much "); }

 private:
  std::string& log_;
};

class FilterPathTest : public testing::Test {
 protected:
  FilterPathTest() {
    path_.add(a_);
    path_.add(b_);
  }
  std::string take() { return std::exchange(log_, {}); }

  std::string log_;
  Recorder a_{"a", log_};
  Recorder b_{"b", log_};
  Sink sink_{log_};
  FilterPath<RequestDirection> path_{sink_, {.paused = 80, .collected = 100}};
  RequestHead head_;
  HeaderList trailers_;
};

TEST_F(FilterPathTest, PassesEventsInOrder) {
  path_.head(0, head_, false);
  path_.body(0, "x", false);
  path_.trailers(0, trailers_);
  EXPECT_EQ(
      take(),
      "a.head b.head out.head a.body:x b.body:x out.body:x a.trailers! b.trailers! out.trailers! ");
}

TEST_F(FilterPathTest, EntersBehindTheGivenFilter) {
  path_.head(1, head_, true);
  EXPECT_EQ(take(), "b.head! out.head! ");
}

TEST_F(FilterPathTest, IsClearWhereNobodyLooksAndNobodyHolds) {
  EXPECT_FALSE(path_.clear(0, 2));
  b_.looks = false;
  EXPECT_FALSE(path_.clear(0, 2));
  EXPECT_TRUE(path_.clear(1, 2));
  a_.looks = false;
  EXPECT_TRUE(path_.clear(0, 2));
  b_.on_head = FilterVerdict::Pause;
  path_.head(0, head_, false);
  EXPECT_FALSE(path_.clear(0, 2));
  EXPECT_TRUE(path_.clear(0, 1));
  path_.resume(1);
  EXPECT_TRUE(path_.clear(0, 2));
  path_.stop();
  EXPECT_FALSE(path_.clear(0, 2));
}

TEST_F(FilterPathTest, PauseAtTheHeadHoldsEverythingUnseen) {
  a_.on_head = FilterVerdict::Pause;
  path_.head(0, head_, false);
  path_.body(0, "x", false);
  path_.body(0, "y", true);
  EXPECT_EQ(take(), "a.head ");
  path_.resume(0);
  EXPECT_EQ(take(), "b.head out.head a.body:xy! b.body:xy! out.body:xy! ");
}

TEST_F(FilterPathTest, PauseAtAHeadThatEndsTheMessage) {
  a_.on_head = FilterVerdict::Pause;
  path_.head(0, head_, true);
  path_.resume(0);
  EXPECT_EQ(take(), "a.head! b.head! out.head! ");
}

TEST_F(FilterPathTest, CollectGoesOnShowingTheBodyToItsFilterAlone) {
  a_.on_head = FilterVerdict::Collect;
  path_.head(0, head_, false);
  path_.body(0, "x", false);
  path_.body(0, "y", true);
  EXPECT_EQ(take(), "a.head a.body:x a.body:y! ");
  path_.resume(0);
  EXPECT_EQ(take(), "b.head out.head b.body:xy! out.body:xy! ");
}

TEST_F(FilterPathTest, PauseInTheBodyPassesSeenBytesBehindTheFilter) {
  path_.head(0, head_, false);
  a_.on_body = FilterVerdict::Pause;
  path_.body(0, "seen", false);
  path_.body(0, "new", true);
  EXPECT_EQ(take(), "a.head b.head out.head a.body:seen ");
  a_.on_body = FilterVerdict::Continue;
  path_.resume(0);
  EXPECT_EQ(take(), "b.body:seen out.body:seen a.body:new! b.body:new! out.body:new! ");
}

TEST_F(FilterPathTest, AnEndWithoutBytesComesOutBehindSeenBytes) {
  path_.head(0, head_, false);
  a_.on_body = FilterVerdict::Pause;
  path_.body(0, "seen", false);
  path_.body(0, "", true);
  take();
  a_.on_body = FilterVerdict::Continue;
  path_.resume(0);
  EXPECT_EQ(take(), "b.body:seen out.body:seen a.body:! b.body:! out.body:! ");
}

TEST_F(FilterPathTest, MayCloseAgainWhileItLetsOut) {
  a_.on_head = FilterVerdict::Pause;
  path_.head(0, head_, false);
  path_.body(0, "x", false);
  a_.on_body = FilterVerdict::Pause;
  path_.resume(0);
  path_.body(0, "y", true);
  EXPECT_EQ(take(), "a.head b.head out.head a.body:x ");
  a_.on_body = FilterVerdict::Continue;
  path_.resume(0);
  EXPECT_EQ(take(), "b.body:x out.body:x a.body:y! b.body:y! out.body:y! ");
}

TEST_F(FilterPathTest, TwoGatesCloseIndependently) {
  b_.on_head = FilterVerdict::Pause;
  path_.head(0, head_, false);
  path_.body(0, "x", false);
  a_.on_body = FilterVerdict::Pause;
  path_.body(0, "y", true);
  path_.resume(1);
  EXPECT_EQ(take(), "a.head b.head a.body:x a.body:y! out.head b.body:x out.body:x ");
  path_.resume(0);
  EXPECT_EQ(take(), "b.body:y! out.body:y! ");
}

TEST_F(FilterPathTest, HoldsTrailers) {
  struct Case {
    FilterVerdict verdict;
    std::string shown;
    std::string released;
  };
  const Case cases[] = {
      {FilterVerdict::Pause, "a.head ", "b.head out.head a.trailers! b.trailers! out.trailers! "},
      {FilterVerdict::Collect, "a.head a.trailers! ", "b.head out.head b.trailers! out.trailers! "},
  };
  for (const Case& c : cases) {
    FilterPath<RequestDirection> path(sink_, {});
    path.add(a_);
    path.add(b_);
    a_.on_head = c.verdict;
    path.head(0, head_, false);
    path.trailers(0, trailers_);
    EXPECT_EQ(take(), c.shown);
    path.resume(0);
    EXPECT_EQ(take(), c.released);
  }
}

TEST_F(FilterPathTest, MakesTheSenderWaitAboveTheLimit) {
  a_.on_head = FilterVerdict::Pause;
  path_.head(0, head_, false);
  path_.body(0, std::string(80, 'x'), false);
  EXPECT_EQ(take(), "a.head ");
  path_.body(0, "x", false);
  EXPECT_EQ(take(), "held.high ");
  path_.resume(0);
  EXPECT_NE(take().find("held.low "), std::string::npos);
}

TEST_F(FilterPathTest, SaysSoWhenMoreIsCollectedThanTheLimit) {
  a_.on_head = FilterVerdict::Collect;
  path_.head(0, head_, false);
  path_.body(0, std::string(100, 'x'), false);
  EXPECT_EQ(take().find("too.much "), std::string::npos);
  path_.body(0, "y", false);
  EXPECT_EQ(take(), "a.body:y too.much ");
}

TEST_F(FilterPathTest, ResumingAnOpenGateDoesNothing) {
  path_.head(0, head_, true);
  take();
  path_.resume(0);
  path_.resume(1);
  EXPECT_EQ(take(), "");
}

TEST_F(FilterPathTest, ShowsNothingAfterStop) {
  a_.on_head = FilterVerdict::Pause;
  path_.head(0, head_, false);
  path_.body(0, "x", true);
  path_.stop();
  path_.resume(0);
  EXPECT_EQ(take(), "a.head ");
}

}  // namespace
}  // namespace convoy::http
