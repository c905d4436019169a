#pragma once

// Configuration of the stateful_session filter (envoy.extensions.filters.http.stateful_session.v3)
// and of the ways to keep a session. Plain data, immutable once published, but for what the filter
// makes of it at its first use.

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "proxy/http/cookies.h"
#include "proxy/http/spec.h"
#include "proxy/redis/spec.h"
#include "proxy/route/spec.h"

namespace convoy::filter::stateful_session {

inline constexpr char kKind[] = "envoy.filters.http.stateful_session";

// Envoy's own two: the client holds the host's address, for everybody to read and to change.
struct AddressCookie {
  http::CookieSpec cookie;
};
struct AddressHeader {
  std::string name;
};

// convoy.ext.SignedCookie
struct SignedCookie {
  http::CookieSpec cookie;
  std::vector<std::string> keys;  // the first makes cookies; never empty on a node
};

// Where nodes tell each other what they learn.
struct SharedIn {
  redis::ClientSpec server;
  std::string key_prefix = "sticky:";
};

// convoy.ext.LearnedSession
struct Learned {
  enum class Key : uint8_t { Cookie, Header, SourceIp };

  std::string table;
  Key key = Key::SourceIp;
  std::string name;  // of the cookie or the header
  std::chrono::seconds ttl{3600};
  uint32_t max_entries = 100'000;
  std::optional<SharedIn> shared = std::nullopt;  // unset: this process alone
};

// Nothing: no sessions.
using SessionStateSpec =
    std::variant<std::monostate, AddressCookie, AddressHeader, SignedCookie, Learned>;

// What a filter makes of a spec: once, at the first use, for all workers.
class Prepared {
 public:
  // REQUIRES: the same Make for all calls. It returns a std::shared_ptr<const T>.
  template <class T, class Make>
  const T* get(Make&& make) const {
    // A lock at the first call only; later ones load a flag.
    std::call_once(once_, [&] { made_ = std::shared_ptr<const void>(make()); });
    return static_cast<const T*>(made_.get());
  }

 private:
  mutable std::once_flag once_;
  mutable std::shared_ptr<const void> made_;
};

struct SessionSpec {
  SessionStateSpec state;
  bool strict = false;  // the session's host or none
  Prepared prepared;
};

struct StatefulSessionSpec final : http::HttpFilterSpec {
  SessionSpec session;
};

// Of a route, virtual host or route table: the most specific stands instead of the filter's own.
struct PerRouteSpec final : route::PerRouteFilterSpec {
  PerRouteSpec() : PerRouteFilterSpec(kKind) {}
  bool disabled = false;
  SessionSpec session;
};

}  // namespace convoy::filter::stateful_session
