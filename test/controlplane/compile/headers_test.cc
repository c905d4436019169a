#include "controlplane/compile/headers.h"

#include <gtest/gtest.h>

#include <string>

#include "proxy/base/field_report.h"
#include "proxy/config/header_edits.h"
#include "proxy/http/header_list.h"
#include "proxy/route/header_edits.h"
#include "test/controlplane/common/config_text.h"
#include "test/proxy/route/requests.h"

namespace convoy::controlplane::compile {
namespace {

TEST(HeadersTest, AreEditsIfThereIsOne) {
  EXPECT_FALSE(hasEdits(v1::Headers()));
  EXPECT_FALSE(hasEdits(parse<v1::Headers>("request {} response {}")));
  EXPECT_TRUE(hasEdits(parse<v1::Headers>(R"(response { remove: "a" })")));
  EXPECT_TRUE(hasEdits(parse<v1::Headers>(R"(request { add { key: "a" value: "1" } })")));
}

TEST(HeadersTest, OfAListenerInOrder) {
  const auto compiled = compileHeaderMutation(parse<v1::Headers>(R"(
      request { set { key: "X-B" value: "2" } set { key: "X-A" value: "1" } remove: "X-R"
                append { key: "x-d" value: "4" } add { key: "x-c" value: "3" } }
      response { remove: "server" })"));
  EXPECT_EQ(
      shortText(compiled.mutations()),
      R"(request_mutations { remove: "x-r" } )"
      R"(request_mutations { append { header { key: "x-a" value: "1" } append_action: OVERWRITE_IF_EXISTS_OR_ADD keep_empty_value: true } } )"
      R"(request_mutations { append { header { key: "x-b" value: "2" } append_action: OVERWRITE_IF_EXISTS_OR_ADD keep_empty_value: true } } )"
      R"(request_mutations { append { header { key: "x-c" value: "3" } append_action: ADD_IF_ABSENT } } )"
      R"(request_mutations { append { header { key: "x-d" value: "4" } } } )"
      R"(response_mutations { remove: "server" })");
}

// "+name=value" and "-name" of the requests or responses of a route.
std::string editsOf(const envoy::config::route::v3::Route& route, bool of_request) {
  std::string text;
  for (const std::string& name :
       of_request ? route.request_headers_to_remove() : route.response_headers_to_remove()) {
    text += "-" + name + " ";
  }
  for (const auto& option :
       of_request ? route.request_headers_to_add() : route.response_headers_to_add()) {
    text += "+" + option.header().key() + "=" + option.header().value() + " ";
  }
  return text;
}

TEST(HeadersTest, ThePoolIsLaterForRequestsAndTheRouteForResponses) {
  const auto edits = [](const std::string& who) {
    return parse<v1::Headers>("request { set { key: 'Who' value: '" + who +
                              "' } append { key: 'by' value: '" + who +
                              "' } } response { set { key: 'who' value: '" + who +
                              "' } append { key: 'by' value: '" + who + "' } }");
  };
  envoy::config::route::v3::Route route;
  compileRouteHeaders(edits("route"), edits("pool"), &route);
  EXPECT_EQ(editsOf(route, true), "+by=route +who=pool +by=pool ");
  EXPECT_EQ(editsOf(route, false), "+by=pool +who=route +by=route ");
}

TEST(HeadersTest, WhatThePoolRemovesIsNotAddedByTheRoute) {
  envoy::config::route::v3::Route route;
  compileRouteHeaders(parse<v1::Headers>(R"(request { add { key: "x" value: "1" } })"),
                      parse<v1::Headers>(R"(request { remove: "X" })"), &route);
  EXPECT_EQ(editsOf(route, true), "-x ");
}

// What backends see of a request with a field "x-who: client", from a client without a certificate,
// on a node that has these edits of the request.
std::string onNode(const std::string& edits) {
  envoy::config::route::v3::Route route;
  compileRouteHeaders(parse<v1::Headers>("request { " + edits + " }"), v1::Headers(), &route);
  base::FieldReport report;
  const convoy::route::HeaderEdits loaded = config::toAllHeaderEdits(route, report);
  EXPECT_TRUE(report.ok()) << edits;
  http::HeaderList headers;
  headers.add("x-who", "client");
  test::Scope scope;
  convoy::route::applyEdits(loaded.request, headers, scope.get());
  std::string text;
  for (const http::HeaderField& field : headers) {
    text.append(field.name).append("=").append(field.value).append(";");
  }
  return text;
}

TEST(HeadersTest, ASetThatTurnsOutEmptyLeavesNothingOfTheClients) {
  EXPECT_EQ(onNode(R"(set { key: "x-who" value: "%DOWNSTREAM_PEER_URI_SAN%" })"), "x-who=;");
  EXPECT_EQ(onNode(R"(set { key: "x-who" value: "%REQ(x-a)% %REQ(x-b)%" })"), "x-who=;");
}

TEST(HeadersTest, AnAddOrAppendThatTurnsOutEmptyIsLeftOut) {
  EXPECT_EQ(onNode(R"(append { key: "x-who" value: "%DOWNSTREAM_PEER_URI_SAN%" })"),
            "x-who=client;");
  EXPECT_EQ(onNode(R"(add { key: "x-san" value: "%DOWNSTREAM_PEER_URI_SAN%" })"), "x-who=client;");
}

}  // namespace
}  // namespace convoy::controlplane::compile
