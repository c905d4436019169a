// What one codec writes, the other must read as the same: thousands of messages of random parts,
// drawn from a fixed seed.

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "test/proxy/http/h1_messages.h"

namespace convoy::http {
namespace {

class Draw {
 public:
  explicit Draw(uint64_t seed) : state_(seed) {}

  size_t below(size_t limit) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<size_t>(state_ >> 33) % limit;
  }
  bool oneIn(size_t n) { return below(n) == 0; }
  std::string text(std::string_view alphabet, size_t least, size_t most) {
    std::string out;
    for (size_t n = least + below(most - least + 1); n > 0; --n) {
      out.push_back(alphabet[below(alphabet.size())]);
    }
    return out;
  }

 private:
  uint64_t state_;
};

constexpr std::string_view kToken =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~";
constexpr std::string_view kTarget = "abcXYZ019/?&=%-._~:@!$'()*+,;[]{}|\\^`\"<>";
constexpr std::string_view kValue = "abc XYZ\t019:;,=\"\\/\xc3\xa9\x80\xff";

// The texts of a message, which its views point to.
struct Texts {
  std::vector<std::pair<std::string, std::string>> fields;
  std::vector<std::pair<std::string, std::string>> trailers;
  std::string method;
  std::string target;
  std::string authority;
  std::string reason;
};

// A value has no white space around it: that would not survive.
std::string value(Draw& draw) {
  std::string text = draw.text(kValue, 0, draw.oneIn(20) ? 3000 : 40);
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::vector<std::pair<std::string, std::string>> fields(Draw& draw, size_t most) {
  std::vector<std::pair<std::string, std::string>> out;
  for (size_t n = draw.below(most + 1); n > 0; --n) {
    out.emplace_back(draw.oneIn(4) ? std::string(canonicalName(HeaderName(1 + draw.below(28))))
                                   : draw.text(kToken, 1, 30),
                     value(draw));
    // These are not free to say anything.
    const HeaderName id = classify(out.back().first);
    if (id == HeaderName::ContentLength || id == HeaderName::TransferEncoding ||
        id == HeaderName::Host || id == HeaderName::Expect || id == HeaderName::Connection) {
      out.pop_back();
    }
  }
  return out;
}

void addAll(HeaderList& list, const std::vector<std::pair<std::string, std::string>>& fields) {
  for (const auto& [name, value] : fields) list.add(name, value);
}

template <typename Head>
void drawBody(Draw& draw, Message<Head>& message, Texts& texts) {
  const size_t length = draw.oneIn(10) ? 40'000 : draw.below(300);
  switch (draw.below(3)) {
    case 0:
      break;
    case 1:
      message.body = draw.text("\r\n0;ax", length, length);
      message.head.body = {BodyLength::Kind::Known, length};
      break;
    default:
      message.body = draw.text("\r\n0;ax", length, length);
      message.head.body = {BodyLength::Kind::Unknown, 0};
      texts.trailers = draw.oneIn(2) ? fields(draw, 3) : std::move(texts.trailers);
      break;
  }
  message.complete = true;
}

// Trailers that the reader drops are not expected back.
void dropLateFields(HeaderList& trailers) {
  H1Limits limits;
  std::string wire;
  for (const HeaderField& field : trailers) {
    wire.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  wire.append("\r\n");
  H1TrailerParser parser(limits);
  const char* at = wire.data();
  ASSERT_EQ(parser.parse(at, at + wire.size()), H1Progress::Complete);
  HeaderList kept;
  for (const HeaderField& field : trailers) {
    if (parser.trailers.find(field.name) != nullptr) kept.add(field);
  }
  trailers = kept;
}

TEST(H1RoundTripTest, Requests) {
  Draw draw(1);
  const std::string_view methods[] = {"GET", "POST", "PUT", "DELETE", "OPTIONS", "X-Y"};
  for (int i = 0; i < 3000; ++i) {
    Texts texts;
    Request request;
    texts.method = methods[draw.below(6)];
    texts.target = "/" + draw.text(kTarget, 0, 60);
    texts.authority = draw.text("abc.-019", 1, 20) + (draw.oneIn(2) ? ":8080" : "");
    texts.fields = fields(draw, 40);
    drawBody(draw, request, texts);
    request.head.method = texts.method;
    request.head.target = texts.target;
    request.head.authority = texts.authority;
    addAll(request.head.headers, texts.fields);
    addAll(request.trailers, texts.trailers);
    dropLateFields(request.trailers);
    const std::string wire = forwarded(request);
    RequestCollector received;
    for (size_t at = 0; at < wire.size();) {
      const size_t piece = 1 + draw.below(2000);
      received.codec.dispatch(std::string_view(wire).substr(at, piece));
      at += piece;
    }
    ASSERT_EQ(received.requests.size(), 1U) << wire;
    EXPECT_FALSE(received.failed) << wire;
    EXPECT_EQ(essence(*received.requests[0]), essence(request)) << wire;
  }
}

TEST(H1RoundTripTest, Responses) {
  Draw draw(2);
  for (int i = 0; i < 3000; ++i) {
    const std::string_view method = draw.oneIn(5) ? "HEAD" : "GET";
    Texts texts;
    Response response;
    response.head.status = static_cast<uint16_t>(200 + draw.below(400));
    if (response.head.status == 204 || response.head.status == 304) ++response.head.status;
    texts.reason = draw.oneIn(2) ? "" : value(draw);
    texts.fields = fields(draw, 40);
    drawBody(draw, response, texts);
    if (response.head.body.kind == BodyLength::Kind::None) {
      response.head.body = {BodyLength::Kind::Known, 0};
    }
    if (method == "HEAD") {
      response.body.clear();
      texts.trailers.clear();
    }
    response.head.reason = texts.reason;
    addAll(response.head.headers, texts.fields);
    addAll(response.trailers, texts.trailers);
    dropLateFields(response.trailers);
    const std::string wire = forwarded(response, method);
    ResponseCollector received(method);
    for (size_t at = 0; at < wire.size();) {
      const size_t piece = 1 + draw.below(2000);
      received.codec.dispatch(std::string_view(wire).substr(at, piece));
      at += piece;
    }
    ASSERT_EQ(received.heads, 1) << wire;
    EXPECT_FALSE(received.failed) << wire;
    EXPECT_EQ(essence(received.response), essence(response)) << wire;
    EXPECT_FALSE(received.codec.mustClose()) << wire;
  }
}

}  // namespace
}  // namespace convoy::http
