#pragma once

// Asks a running proxy for its admin pages, without a socket in between.

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
#include "proxy/server/admin_pages.h"
#include "test/common/proxy_harness.h"

namespace convoy::server {

inline admin::Response ask(test::ProxyHarness& proxy, std::string_view method,
                           std::string_view target) {
  admin::Response response;
  proxy.onMain([&](Server& server) {
    admin::AdminServer pages(server.loop());
    addAdminPages(pages, server);
    admin::Request request;
    request.method = method;
    const size_t question = target.find('?');
    request.path = target.substr(0, question);
    if (question != std::string_view::npos) request.query = target.substr(question + 1);
    response = pages.answer(request);
  });
  return response;
}
inline admin::Response ask(test::ProxyHarness& proxy, std::string_view target) {
  return ask(proxy, "GET", target);
}

// What /clusters says of a host, such as its "state"; empty: nothing.
inline std::string fieldOf(test::ProxyHarness& proxy, const std::string& cluster,
                           const net::Address& host, const std::string& name) {
  const std::string text = ask(proxy, "/clusters").body;
  const std::string begin = absl::StrCat(cluster, "::", host.text(), "::", name, "::");
  const size_t at = text.find(begin);
  if (at == std::string::npos) return "";
  const size_t value = at + begin.size();
  return text.substr(value, text.find('\n', value) - value);
}

// A page of JSON as the message that it is.
template <class Message>
Message readJson(const admin::Response& response) {
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(response.content_type, admin::kJson);
  Message message;
  const auto status = google::protobuf::util::JsonStringToMessage(response.body, &message);
  EXPECT_TRUE(status.ok()) << status.ToString() << response.body;
  return message;
}

}  // namespace convoy::server
