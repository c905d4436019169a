#include "controlplane/compile/sticky.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "api/convoy/ext/stateful_session.pb.h"
#include "controlplane/compile/routes.h"
#include "envoy/extensions/filters/http/stateful_session/v3/stateful_session.pb.h"
#include "test/controlplane/common/config_text.h"

namespace convoy::controlplane::compile {
namespace {

namespace filter_v3 = envoy::extensions::filters::http::stateful_session::v3;

// The purpose itself, so that a test can read it.
std::string readable(absl::string_view purpose, size_t bytes) {
  return absl::StrCat(purpose, "/", bytes);
}

filter_v3::StatefulSession sessionOf(const std::string& sticky, const DeriveKey& derive) {
  envoy::config::route::v3::Route route;
  compileSticky(parse<v1::Pool>(absl::StrCat("name: \"web\" sticky { ", sticky, " }")), derive,
                &route);
  filter_v3::StatefulSessionPerRoute config;
  EXPECT_TRUE(
      route.typed_per_filter_config().at("envoy.filters.http.stateful_session").UnpackTo(&config));
  return config.stateful_session();
}

template <typename State>
std::string compiled(const std::string& sticky, const DeriveKey& derive = readable) {
  State state;
  EXPECT_TRUE(sessionOf(sticky, derive).session_state().typed_config().UnpackTo(&state)) << sticky;
  return shortText(state);
}

TEST(StickyTest, ACookiesDefaultsAreWrittenOut) {
  EXPECT_EQ(compiled<ext::SignedCookie>("cookie {}"),
            "name: \"sticky-web\" path: \"/\" ttl { seconds: 3600 } same_site: SAME_SITE_LAX "
            "http_only: true keys { inline_bytes: \"convoy sticky cookie key 0 of pool web/32\" } "
            "keys { inline_bytes: \"convoy sticky cookie key 1 of pool web/32\" }");
  EXPECT_FALSE(sessionOf("cookie {}", readable).strict());
}

TEST(StickyTest, EveryFieldOfACookie) {
  EXPECT_EQ(compiled<ext::SignedCookie>(
                R"(cookie { name: "c" path: "/p" domain: "example.com" same_site: SAME_SITE_NONE
                   secure: true http_only: false key_version: 7 } ttl {} strict: true)"),
            "name: \"c\" path: \"/p\" domain: \"example.com\" ttl { } same_site: SAME_SITE_NONE "
            "secure: true http_only: false keys { inline_bytes: "
            "\"convoy sticky cookie key 7 of pool web/32\" } keys { inline_bytes: "
            "\"convoy sticky cookie key 6 of pool web/32\" } keys { inline_bytes: "
            "\"convoy sticky cookie key 8 of pool web/32\" }");
  EXPECT_TRUE(sessionOf("cookie {} strict: true", readable).strict());
}

TEST(StickyTest, WithoutTheSecretsKeyThereAreNoKeys) {
  EXPECT_EQ(compiled<ext::SignedCookie>("cookie { same_site: SAME_SITE_STRICT }", nullptr),
            "name: \"sticky-web\" path: \"/\" ttl { seconds: 3600 } same_site: SAME_SITE_STRICT "
            "http_only: true");
}

TEST(StickyTest, WhatNodesLearn) {
  EXPECT_EQ(compiled<ext::LearnedSession>("source_ip {}"),
            "table: \"web\" source_ip { } ttl { seconds: 3600 }");
  EXPECT_EQ(compiled<ext::LearnedSession>(
                "header { name: \"x-user\" } ttl { seconds: 5 } max_clients: 9"),
            "table: \"web\" header { name: \"x-user\" } ttl { seconds: 5 } max_entries: 9");
  EXPECT_EQ(compiled<ext::LearnedSession>("app_cookie { name: \"JSESSIONID\" }"),
            "table: \"web\" cookie { name: \"JSESSIONID\" } ttl { seconds: 3600 }");
}

TEST(StickyTest, WhereNodesTellEachOther) {
  EXPECT_EQ(compiled<ext::LearnedSession>("source_ip {} redis { address: \"10.0.0.9:6379\" }"),
            "table: \"web\" source_ip { } ttl { seconds: 3600 } redis { cluster: \"redis/web\" }");
  EXPECT_EQ(compiled<ext::LearnedSession>(
                R"(source_ip {} redis { address: "r:6379" timeout { nanos: 5000000 }
                   key_prefix: "a/" password_file: "/p" username: "u" database: 2 })"),
            "table: \"web\" source_ip { } ttl { seconds: 3600 } redis { cluster: \"redis/web\" "
            "timeout { nanos: 5000000 } key_prefix: \"a/\" username: \"u\" "
            "password { filename: \"/p\" } database: 2 }");
}

TEST(StickyTest, IsPartOfTheRoutesToThePool) {
  const auto pool = parse<v1::Pool>(R"(name: "web" sticky { source_ip {} })");
  const auto routes = parse<v1::RouteTable>(R"(
    routes { match { path: "/d" } direct_response { status: 200 } } routes { pool: "web" })");
  const auto table =
      compileRoutes("t", routes.routes(), [&pool](const std::string& name) -> const v1::Pool& {
        return name == "web" ? pool : v1::Pool::default_instance();
      });
  ASSERT_EQ(table.virtual_hosts(0).routes_size(), 2);
  EXPECT_TRUE(table.virtual_hosts(0).routes(0).typed_per_filter_config().empty());
  EXPECT_FALSE(table.virtual_hosts(0).routes(1).typed_per_filter_config().empty());
  EXPECT_NE(partOfRoutes(pool), partOfRoutes(parse<v1::Pool>(R"(name: "web")")));
  EXPECT_EQ(partOfRoutes(pool),
            partOfRoutes(parse<v1::Pool>(R"(name: "x" sticky { source_ip {} })")))
      << "its other settings are no part of them";
}

TEST(StickyTest, TheFilterOfAListener) {
  envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager manager;
  addSessionFilter(&manager);
  EXPECT_EQ(shortText(manager),
            "http_filters { name: \"envoy.filters.http.stateful_session\" typed_config { "
            "[type.googleapis.com/envoy.extensions.filters.http.stateful_session.v3."
            "StatefulSession] { } } }");
}

}  // namespace
}  // namespace convoy::controlplane::compile
