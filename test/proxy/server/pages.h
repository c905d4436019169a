#pragma once

// Asks a running proxy for its admin pages, without a socket in between.

#include <string>
#include <string_view>

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
