#include "proxy/http/request_admission.h"

#include <gtest/gtest.h>

#include <string>

namespace convoy::http {
namespace {

class RequestAdmissionTest : public testing::Test {
 protected:
  RequestAdmissionTest() {
    head_.method = "GET";
    head_.target = "/";
    head_.authority = "a.test";
    info_.downstream_local = &local_;
  }
  // "" if the request is admitted, else the failure's code and the details.
  std::string admit() {
    const auto reply = admitRequest(head_, spec_, info_, arena_, metrics_);
    if (!reply.has_value()) return "";
    return std::string(info(reply->failure).code) + " " + std::string(reply->details);
  }

  ConnectionManagerSpec spec_;
  RequestHead head_;
  base::Arena arena_;
  StreamInfo info_;
  ManagerMetrics metrics_;
  net::Address local_ = *net::Address::parse("192.0.2.1:8080");
};

TEST_F(RequestAdmissionTest, NothingIsChangedUnlessConfigured) {
  head_.target = "/a/../b//%2f";
  head_.authority = "a.test.:8080";
  head_.headers.add("x_a", "1");
  EXPECT_EQ(admit(), "");
  EXPECT_EQ(head_.target, "/a/../b//%2f");
  EXPECT_EQ(head_.authority, "a.test.:8080");
  EXPECT_EQ(head_.headers.size(), 1U);
}

TEST_F(RequestAdmissionTest, Http10) {
  head_.protocol = Protocol::Http10;
  EXPECT_EQ(admit(), "low_version ");
  spec_.accept_http_10 = true;
  EXPECT_EQ(admit(), "");
  head_.authority = {};
  EXPECT_EQ(admit(), "bad_request missing_host");
  spec_.default_host_for_http_10 = "old.test";
  EXPECT_EQ(admit(), "");
  EXPECT_EQ(head_.authority, "old.test");
}

// A strict HTTP/2 backend would take it for malformed, and we its answer for a failure.
TEST_F(RequestAdmissionTest, AnEmptyHostIsNone) {
  head_.authority = {};
  for (const Protocol protocol : {Protocol::Http11, Protocol::Http2}) {
    head_.protocol = protocol;
    EXPECT_EQ(admit(), "bad_request missing_host");
  }
}

TEST_F(RequestAdmissionTest, UnderscoresAreDropped) {
  spec_.underscores = UnderscoresAction::DropHeader;
  for (const char* name : {"x_a", "x-b", "content_length", "X-c", "_"}) {
    head_.headers.add(name, "1");
  }
  EXPECT_EQ(admit(), "");
  ASSERT_EQ(head_.headers.size(), 2U);
  EXPECT_EQ(head_.headers.fields()[1].name, "X-c");
  EXPECT_EQ(metrics_.dropped_headers_with_underscores.value(), 3U);
  HeaderList trailers;
  trailers.add("x_sum", "1");
  EXPECT_FALSE(admitTrailers(trailers, spec_, metrics_).has_value());
  EXPECT_TRUE(trailers.empty());
}

TEST_F(RequestAdmissionTest, UnderscoresAreRefused) {
  spec_.underscores = UnderscoresAction::RejectRequest;
  head_.headers.add("x-a", "_");
  EXPECT_EQ(admit(), "");
  head_.headers.add("x_a", "1");
  EXPECT_EQ(admit(), "bad_request unexpected_underscore");
  EXPECT_EQ(metrics_.requests_rejected_with_underscores_in_headers.value(), 1U);
  HeaderList trailers;
  trailers.add("x_sum", "1");
  EXPECT_TRUE(admitTrailers(trailers, spec_, metrics_).has_value());
}

TEST_F(RequestAdmissionTest, PortsAndDotsAreStripped) {
  struct Case {
    StripPort strip;
    bool dot;
    std::string_view given;
    std::string_view result;
  };
  const Case cases[] = {
      {StripPort::Matching, false, "a.test:8080", "a.test"},
      {StripPort::Matching, false, "a.test:80", "a.test:80"},
      {StripPort::Matching, false, "a.test:08080", "a.test"},
      {StripPort::Matching, false, "a.test:", "a.test:"},
      {StripPort::Matching, false, "[::1]:8080", "[::1]"},
      {StripPort::Any, false, "a.test:1", "a.test"},
      {StripPort::Any, false, "a.test:", "a.test"},
      {StripPort::Any, false, "[::1]", "[::1]"},
      {StripPort::None, true, "a.test.", "a.test"},
      {StripPort::None, true, "a.test.:80", "a.test:80"},
      {StripPort::None, true, ".", "."},
      {StripPort::None, true, ".:80", ".:80"},
      {StripPort::Any, true, "a.test.:80", "a.test"},
  };
  for (const Case& c : cases) {
    spec_.strip_port = c.strip;
    spec_.strip_trailing_host_dot = c.dot;
    head_.authority = c.given;
    EXPECT_EQ(admit(), "");
    EXPECT_EQ(head_.authority, c.result) << c.given;
  }
  head_.method = "CONNECT";
  head_.authority = "a.test:443";
  EXPECT_EQ(admit(), "");
  EXPECT_EQ(head_.authority, "a.test:443");
}

TEST_F(RequestAdmissionTest, Paths) {
  spec_.path = {.normalize = true,
                .merge_slashes = true,
                .escaped_slashes = EscapedSlashes::UnescapeAndRedirect};
  head_.target = "/a/..//%62?%2f";
  EXPECT_EQ(admit(), "");
  EXPECT_EQ(head_.target, "/b?%2f");
  head_.target = "/%00";
  EXPECT_EQ(admit(), "bad_request path_normalization_failed");
  head_.target = "/a%2f%2fb?c";
  const auto reply = admitRequest(head_, spec_, info_, arena_, metrics_);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->status, 307);
  EXPECT_EQ(reply->location, "/a/b?c");
  head_.target = "/a%2fb";
  head_.headers.add("content-type", "application/grpc+proto");
  EXPECT_EQ(admit(), "bad_request escaped_slashes_in_path");
  EXPECT_EQ(metrics_.downstream_rq_rejected_path.value(), 2U);
  EXPECT_EQ(metrics_.downstream_rq_redirected_with_normalized_path.value(), 1U);
}

}  // namespace
}  // namespace convoy::http
