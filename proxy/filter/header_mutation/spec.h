#pragma once

// Configuration of the header_mutation filter
// (envoy.extensions.filters.http.header_mutation.v3). Plain data, immutable once published.

#include <utility>
#include <vector>

#include "proxy/http/spec.h"
#include "proxy/route/spec.h"

namespace convoy::filter::header_mutation {

inline constexpr char kKind[] = "envoy.filters.http.header_mutation";

struct Edits {
  std::vector<route::HeaderEdit> request;
  std::vector<route::HeaderEdit> response;
};

struct HeaderMutationSpec final : http::HttpFilterSpec {
  Edits edits;
  // Of route, virtual host and route table the most specific is applied last. Else first.
  bool most_specific_wins = false;
};

// Of a route, virtual host or route table: applied after the filter's own edits.
struct PerRouteSpec final : route::PerRouteFilterSpec {
  explicit PerRouteSpec(Edits of) : PerRouteFilterSpec(kKind), edits(std::move(of)) {}
  const Edits edits;
};

}  // namespace convoy::filter::header_mutation
