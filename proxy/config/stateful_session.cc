#include "proxy/config/stateful_session.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/base/strings.h"
#include "proxy/config/registry.h"
#include "proxy/config/values.h"

namespace convoy::config {

namespace {

namespace session = filter::stateful_session;
namespace filter_v3 = envoy::extensions::filters::http::stateful_session::v3;
using SameSite = http::CookieSpec::SameSite;

constexpr int kMostKeys = 8;
constexpr size_t kLeastKeyBytes = 32;
constexpr size_t kMostKeyBytes = 1024;
constexpr int64_t kMostTtlSeconds = 400 * 86'400;  // what browsers keep a cookie at most
constexpr uint32_t kMostEntries = 10'000'000;
constexpr size_t kMostText = 1024;
constexpr int64_t kMostRedisTimeoutMs = 1000;
constexpr size_t kMostKeyPrefix = 64;
constexpr uint32_t kMostDatabase = 1'000'000;
constexpr std::string_view kNameMarks = "!#$%&'*+-.^_`|~";  // RFC 9110 5.6.2

bool isAlnum(char c) {
  const char lower = base::asciiLower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

// Of cookies and header fields.
void checkName(const std::string& name, base::FieldReport& report) {
  if (name.empty()) return report.error("name", "required", "", "a name is needed");
  const bool token = name.size() <= kMostText && std::ranges::all_of(name, [](char c) {
                       return isAlnum(c) || kNameMarks.find(c) != std::string_view::npos;
                     });
  if (!token) {
    report.error("name", "malformed", name, "must be letters, digits and !#$%&'*+-.^_`|~");
  }
}

void checkPath(const std::string& path, base::FieldReport& report) {
  if (path.empty()) return;
  const bool clean =
      path.size() <= kMostText && path.front() == '/' &&
      std::ranges::all_of(path, [](char c) { return c > ' ' && c < 127 && c != ';'; });
  if (!clean) {
    report.error("path", "malformed", path,
                 "must begin with \"/\" and have no blanks, control characters and \";\"");
  }
}

void checkDomain(const std::string& domain, base::FieldReport& report) {
  if (domain.empty()) return;
  const bool clean = domain.size() <= 253 && std::ranges::all_of(domain, [](char c) {
                       return isAlnum(c) || c == '-' || c == '.';
                     });
  if (!clean) report.error("domain", "malformed", domain, "must be a domain name");
}

std::chrono::seconds toTtl(const google::protobuf::Duration& ttl, int64_t least,
                           base::FieldReport& report) {
  const bool whole = ttl.nanos() == 0 && ttl.seconds() >= least && ttl.seconds() <= kMostTtlSeconds;
  if (!whole) {
    report.error("ttl", "range", std::to_string(ttl.seconds()),
                 "must be whole seconds from " + std::to_string(least) + " to 34560000");
    return std::chrono::seconds(least);
  }
  return std::chrono::seconds(ttl.seconds());
}

SameSite toSameSite(ext::SignedCookie::SameSite proto, base::FieldReport& report) {
  switch (proto) {
    case ext::SignedCookie::SAME_SITE_UNSPECIFIED:
      return SameSite::Unset;
    case ext::SignedCookie::SAME_SITE_LAX:
      return SameSite::Lax;
    case ext::SignedCookie::SAME_SITE_STRICT:
      return SameSite::Strict;
    case ext::SignedCookie::SAME_SITE_NONE:
      return SameSite::None;
    default:
      break;
  }
  report.error("same_site", "unsupported_value", std::to_string(proto),
               "write SAME_SITE_LAX, SAME_SITE_STRICT or SAME_SITE_NONE");
  return SameSite::Unset;
}

// What browsers refuse would be a session that never sticks.
void checkPromises(const http::CookieSpec& cookie, base::FieldReport& report) {
  const bool secure = cookie.secure.value_or(false);
  if (cookie.same_site == SameSite::None && !secure) {
    report.error("same_site", "conflict", "SAME_SITE_NONE",
                 "browsers take it with secure: true only");
  }
  const std::string_view name = cookie.name;
  const bool host = name.substr(0, 7) == "__Host-";
  if ((host || name.substr(0, 9) == "__Secure-") && !secure) {
    report.error("name", "conflict", name, "browsers take this prefix with secure: true only");
  }
  if (host && (!cookie.domain.empty() || cookie.path != "/")) {
    report.error("name", "conflict", name,
                 "browsers take this prefix with path \"/\" and without domain only");
  }
}

std::string readKey(const ext::SignedCookie::Key& proto, const Context& context,
                    base::FieldReport& report) {
  envoy::config::core::v3::DataSource source;
  if (proto.has_inline_bytes()) {
    source.set_inline_bytes(proto.inline_bytes());
  } else if (proto.has_filename()) {
    source.set_filename(proto.filename());
  } else {
    report.error("required", "", "inline_bytes or filename is needed");
    return {};
  }
  const uint64_t errors = report.errorCount();
  std::string key = readDataSource(source, kMostKeyBytes, context, report);
  // Where files are not read there is nothing to judge.
  const bool read =
      (proto.has_inline_bytes() || context.read_files) && report.errorCount() == errors;
  if (read && key.size() < kLeastKeyBytes) {
    report.error("range", "", "a key has at least 32 bytes (openssl rand 32)");
  }
  return key;
}

std::vector<std::string> readKeys(const ext::SignedCookie& proto, const Context& context,
                                  base::FieldReport& report) {
  if (proto.keys_size() == 0 || proto.keys_size() > kMostKeys) {
    report.error("keys", "range", std::to_string(proto.keys_size()), "1 to 8 keys are needed");
    return {};
  }
  std::vector<std::string> keys;
  for (int i = 0; i < proto.keys_size(); ++i) {
    auto at = report.in("keys", static_cast<size_t>(i));
    std::string key = readKey(proto.keys(i), context, report);
    if (!key.empty() && std::ranges::find(keys, key) != keys.end()) {
      report.error("duplicate", "", "an earlier entry is the same key");
    }
    keys.push_back(std::move(key));
  }
  return keys;
}

std::string readPassword(const ext::LearnedSession::Redis::Password& proto, const Context& context,
                         base::FieldReport& report) {
  envoy::config::core::v3::DataSource source;
  if (proto.has_inline_string()) {
    source.set_inline_string(proto.inline_string());
  } else if (proto.has_filename()) {
    source.set_filename(proto.filename());
  } else {
    report.error("required", "", "inline_string or filename is needed");
    return {};
  }
  const uint64_t errors = report.errorCount();
  std::string password = readDataSource(source, kMostText, context, report);
  if (proto.has_filename() && password.ends_with('\n')) password.pop_back();
  // Without one the client would go by another user's rights.
  const bool known = proto.has_inline_string() || context.read_files;
  if (known && password.empty() && report.errorCount() == errors) {
    report.error("required", "", "must not be empty");
  }
  return password;
}

std::string toKeyPrefix(const std::string& prefix, base::FieldReport& report) {
  const bool clean = prefix.size() <= kMostKeyPrefix &&
                     std::ranges::all_of(prefix, [](char c) { return c > ' ' && c < 127; });
  if (!clean) {
    report.error("key_prefix", "malformed", prefix,
                 "must be at most 64 printable ASCII characters without blanks");
  }
  return prefix.empty() ? session::SharedIn().key_prefix : prefix;
}

session::SharedIn readRedis(const ext::LearnedSession::Redis& proto, const Context& context,
                            base::FieldReport& report) {
  session::SharedIn made;
  made.server.cluster = proto.cluster();
  if (proto.cluster().empty()) {
    report.error("cluster", "required", "",
                 "the name of the cluster of the Redis server is needed");
  }
  if (proto.has_timeout()) {
    made.server.timeout = toMilliseconds(proto.timeout(), "timeout", report);
    if (made.server.timeout.count() < 1 || made.server.timeout.count() > kMostRedisTimeoutMs) {
      report.error("timeout", "range", std::to_string(made.server.timeout.count()) + "ms",
                   "must be 1 ms to 1 s");
      made.server.timeout = redis::ClientSpec().timeout;
    }
  }
  made.key_prefix = toKeyPrefix(proto.key_prefix(), report);
  made.server.username = proto.username();
  if (proto.has_password()) {
    auto at = report.in("password");
    made.server.password = readPassword(proto.password(), context, report);
  } else if (!proto.username().empty()) {
    report.error("username", "conflict", proto.username(), "a user needs a password");
  }
  made.server.database = proto.database();
  if (proto.database() > kMostDatabase) {
    report.error("database", "range", std::to_string(proto.database()), "must be at most 1000000");
  }
  return made;
}

void setSession(const filter_v3::StatefulSession& proto, const Context& context,
                session::SessionSpec* spec, base::FieldReport& report) {
  spec->strict = proto.strict();
  if (!proto.has_session_state()) return;
  auto at = report.in("session_state");
  auto in = report.in("typed_config");
  auto made =
      context.registry->session_states.make(proto.session_state().typed_config(), context, report);
  if (made.has_value()) spec->state = *std::move(made);
}

}  // namespace

std::shared_ptr<session::StatefulSessionSpec> makeStatefulSession(
    const filter_v3::StatefulSession& proto, const Context& context, base::FieldReport& report) {
  auto spec = std::make_shared<session::StatefulSessionSpec>();
  setSession(proto, context, &spec->session, report);
  return spec;
}

std::shared_ptr<const session::PerRouteSpec> makeStatefulSessionPerRoute(
    const filter_v3::StatefulSessionPerRoute& proto, const Context& context,
    base::FieldReport& report) {
  auto spec = std::make_shared<session::PerRouteSpec>();
  spec->disabled = proto.disabled();
  if (proto.has_stateful_session()) {
    auto at = report.in("stateful_session");
    setSession(proto.stateful_session(), context, &spec->session, report);
  }
  return spec;
}

SessionState makeAddressCookie(
    const envoy::extensions::http::stateful_session::cookie::v3::CookieBasedSessionState& proto,
    const Context&, base::FieldReport& report) {
  auto at = report.in("cookie");
  session::AddressCookie made;
  made.cookie.name = proto.cookie().name();
  made.cookie.path = proto.cookie().path();
  checkName(made.cookie.name, report);
  checkPath(made.cookie.path, report);
  if (proto.cookie().has_ttl()) made.cookie.ttl = toTtl(proto.cookie().ttl(), 0, report);
  return made;
}

SessionState makeAddressHeader(
    const envoy::extensions::http::stateful_session::header::v3::HeaderBasedSessionState& proto,
    const Context&, base::FieldReport& report) {
  checkName(proto.name(), report);
  session::AddressHeader made{proto.name()};
  for (char& c : made.name) c = base::asciiLower(c);  // as HTTP/2 has names
  return made;
}

SessionState makeSignedCookie(const ext::SignedCookie& proto, const Context& context,
                              base::FieldReport& report) {
  session::SignedCookie made;
  http::CookieSpec& cookie = made.cookie;
  cookie.name = proto.name();
  cookie.path = proto.path();
  cookie.domain = proto.domain();
  checkName(cookie.name, report);
  checkPath(cookie.path, report);
  checkDomain(cookie.domain, report);
  if (proto.has_ttl()) cookie.ttl = toTtl(proto.ttl(), 0, report);
  cookie.same_site = toSameSite(proto.same_site(), report);
  cookie.secure = std::nullopt;
  if (proto.has_secure()) cookie.secure = proto.secure();
  cookie.http_only = !proto.has_http_only() || proto.http_only();
  checkPromises(cookie, report);
  made.keys = readKeys(proto, context, report);
  return made;
}

SessionState makeLearnedSession(const ext::LearnedSession& proto, const Context& context,
                                base::FieldReport& report) {
  session::Learned made;
  made.table = proto.table();
  if (made.table.empty()) report.error("table", "required", "", "the name of a table is needed");
  switch (proto.key_case()) {
    case ext::LearnedSession::kCookie: {
      auto at = report.in("cookie");
      made.key = session::Learned::Key::Cookie;
      made.name = proto.cookie().name();
      checkName(made.name, report);
      break;
    }
    case ext::LearnedSession::kHeader: {
      auto at = report.in("header");
      made.key = session::Learned::Key::Header;
      made.name = proto.header().name();
      checkName(made.name, report);
      break;
    }
    case ext::LearnedSession::kSourceIp:
      break;
    case ext::LearnedSession::KEY_NOT_SET:
      report.error("key", "required", "", "cookie, header or source_ip is needed");
  }
  if (proto.has_ttl()) made.ttl = toTtl(proto.ttl(), 1, report);
  if (proto.max_entries() > kMostEntries) {
    report.error("max_entries", "range", std::to_string(proto.max_entries()),
                 "must be at most 10000000");
  }
  if (proto.max_entries() != 0) made.max_entries = proto.max_entries();
  if (proto.has_redis()) {
    auto at = report.in("redis");
    made.shared = readRedis(proto.redis(), context, report);
  }
  return made;
}

}  // namespace convoy::config
