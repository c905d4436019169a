#include "controlplane/compile/sticky.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "api/convoy/ext/stateful_session.pb.h"
#include "controlplane/compile/any.h"
#include "envoy/extensions/filters/http/stateful_session/v3/stateful_session.pb.h"

namespace convoy::controlplane::compile {

namespace {

namespace filter_v3 = envoy::extensions::filters::http::stateful_session::v3;

constexpr char kFilter[] = "envoy.filters.http.stateful_session";
constexpr int64_t kDefaultTtlSeconds = 3600;
constexpr size_t kKeyBytes = 32;

void setTtl(const v1::Sticky& sticky, google::protobuf::Duration* ttl) {
  if (sticky.has_ttl()) {
    *ttl = sticky.ttl();
  } else {
    ttl->set_seconds(kDefaultTtlSeconds);
  }
}

ext::SignedCookie::SameSite compileSameSite(v1::Sticky::SameSite same_site) {
  switch (same_site) {
    case v1::Sticky::SAME_SITE_STRICT:
      return ext::SignedCookie::SAME_SITE_STRICT;
    case v1::Sticky::SAME_SITE_NONE:
      return ext::SignedCookie::SAME_SITE_NONE;
    default:
      return ext::SignedCookie::SAME_SITE_LAX;
  }
}

// The key of this version makes cookies. That of the version before opens those that are out, and
// the next one those of nodes that are told earlier.
void addKeys(const v1::Pool& pool, const DeriveKey& derive, ext::SignedCookie* out) {
  if (!derive) return;
  const int64_t version = pool.sticky().cookie().key_version();
  for (const int64_t number : {version, version - 1, version + 1}) {
    if (number < 0) continue;
    out->add_keys()->set_inline_bytes(derive(
        absl::StrCat("convoy sticky cookie key ", number, " of pool ", pool.name()), kKeyBytes));
  }
}

ext::SignedCookie compileCookie(const v1::Pool& pool, const DeriveKey& derive) {
  const v1::Sticky::Cookie& cookie = pool.sticky().cookie();
  ext::SignedCookie out;
  out.set_name(cookie.name().empty() ? absl::StrCat("sticky-", pool.name()) : cookie.name());
  out.set_path(cookie.path().empty() ? "/" : cookie.path());
  out.set_domain(cookie.domain());
  setTtl(pool.sticky(), out.mutable_ttl());
  out.set_same_site(compileSameSite(cookie.same_site()));
  if (cookie.has_secure()) out.set_secure(cookie.secure());
  out.set_http_only(!cookie.has_http_only() || cookie.http_only());
  addKeys(pool, derive, &out);
  return out;
}

void compileRedis(const v1::Pool& pool, ext::LearnedSession::Redis* out) {
  const v1::Sticky::Redis& redis = pool.sticky().redis();
  out->set_cluster(redisClusterOf(pool.name()));
  if (redis.has_timeout()) *out->mutable_timeout() = redis.timeout();
  out->set_key_prefix(redis.key_prefix());
  out->set_username(redis.username());
  if (!redis.password_file().empty()) {
    out->mutable_password()->set_filename(redis.password_file());
  }
  out->set_database(redis.database());
}

ext::LearnedSession compileLearned(const v1::Pool& pool) {
  const v1::Sticky& sticky = pool.sticky();
  ext::LearnedSession out;
  out.set_table(pool.name());
  if (sticky.has_app_cookie()) {
    out.mutable_cookie()->set_name(sticky.app_cookie().name());
  } else if (sticky.has_header()) {
    out.mutable_header()->set_name(sticky.header().name());
  } else {
    out.mutable_source_ip();
  }
  setTtl(sticky, out.mutable_ttl());
  out.set_max_entries(sticky.max_clients());
  if (sticky.has_redis()) compileRedis(pool, out.mutable_redis());
  return out;
}

}  // namespace

std::string redisClusterOf(absl::string_view pool) {
  return absl::StrCat("redis/", pool);
}

void compileSticky(const v1::Pool& pool, const DeriveKey& derive,
                   envoy::config::route::v3::Route* out) {
  filter_v3::StatefulSessionPerRoute config;
  config.mutable_stateful_session()->set_strict(pool.sticky().strict());
  auto* state = config.mutable_stateful_session()->mutable_session_state();
  if (pool.sticky().has_cookie()) {
    state->set_name("convoy.http.stateful_session.signed_cookie");
    pack(compileCookie(pool, derive), state->mutable_typed_config());
  } else {
    state->set_name("convoy.http.stateful_session.learned");
    pack(compileLearned(pool), state->mutable_typed_config());
  }
  pack(config, &(*out->mutable_typed_per_filter_config())[kFilter]);
}

void addSessionFilter(
    envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager*
        manager) {
  auto* filter = manager->add_http_filters();
  filter->set_name(kFilter);
  pack(filter_v3::StatefulSession(), filter->mutable_typed_config());
}

}  // namespace convoy::controlplane::compile
