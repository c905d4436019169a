#pragma once

// The hash key of a request, by the hash policies of its route (Envoy's RouteAction.hash_policy):
// what a cluster that balances by hash chooses by. Parts that the request does not have are left
// out; several parts are combined in their order (the key so far, rotated by one bit, exclusive-or
// the next part's hash, as Envoy does).

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "proxy/base/arena.h"
#include "proxy/http/message.h"
#include "proxy/http/stream_info.h"
#include "proxy/route/spec.h"

namespace convoy::route {

struct HashKey {
  std::optional<uint64_t> hash;  // unset: the request has none of the parts
  // A Set-Cookie for the response, in the arena; empty: none. The key is that of the cookie
  // already.
  std::string_view set_cookie;
};

// The client's address is the trusted one (info.downstream_ip). A new cookie's value is made of the
// connection's addresses, so that requests that a client sends at once get the same.
HashKey hashKeyOf(const std::vector<HashPolicy>& policies, const http::RequestHead& head,
                  const http::StreamInfo& info, base::Arena& arena);

}  // namespace convoy::route
