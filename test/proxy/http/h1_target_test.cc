#include "proxy/http/h1_target.h"

#include <string>

#include "gtest/gtest.h"

namespace convoy::http {
namespace {

struct Case {
  std::string_view method;
  std::string_view target;
  std::string_view resolved;  // "scheme authority target", or the error's detail
};

const Case kCases[] = {
    {"GET", "/", "- host /"},
    {"GET", "//b/c?d=/e", "- host //b/c?d=/e"},
    {"GET", "http://b/c?d", "http b /c?d"},
    {"GET", "HtTpS://b:1/c", "https b:1 /c"},
    {"GET", "http://b", "http b /"},
    {"GET", "http://b?c", "http b /?c"},
    {"GET", "http://b?http://c/", "http b /?http://c/"},
    {"OPTIONS", "http://b", "http b *"},
    {"OPTIONS", "http://b/", "http b /"},
    {"OPTIONS", "*", "- host *"},
    {"CONNECT", "b:443", "- b:443 b:443"},
    {"GET", "*", "target_form"},
    {"GET", "b", "target_form"},
    {"GET", "://b/", "target_form"},
    {"GET", "http:/b/", "target_form"},
    {"CONNECT", "b", "target_form"},
    {"CONNECT", "/", "target_form"},
    {"GET", "ws://b/", "unsupported_scheme"},
    {"GET", "http://", "invalid_host"},
    {"GET", "http:///b", "invalid_host"},
    {"GET", "http://u@b/", "invalid_host"},
    {"GET", "http://b:x/", "invalid_host"},
};

TEST(H1TargetTest, Forms) {
  for (const Case& c : kCases) {
    RequestHead head;
    head.method = c.method;
    head.target = c.target;
    head.authority = "host";
    head.scheme = "-";
    std::string composed;
    const H1Error error = resolveTarget(head, composed);
    std::string resolved;
    if (error == H1Error::None) {
      resolved.append(head.scheme).append(" ").append(head.authority).append(" ");
      resolved.append(head.target);
    } else {
      resolved = info(error).detail;
    }
    EXPECT_EQ(resolved, c.resolved) << c.method << " " << c.target;
  }
}

}  // namespace
}  // namespace convoy::http
