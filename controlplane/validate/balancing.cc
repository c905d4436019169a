#include "controlplane/validate/balancing.h"

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "controlplane/validate/scalars.h"

namespace convoy::controlplane::validate {

namespace {

constexpr int64_t kYearMs = int64_t{365} * 24 * 3600 * 1000;
constexpr uint32_t kLeastLoad = 100;
constexpr uint32_t kMostLoad = 10'000;
constexpr uint32_t kMostPoints = 1000;

std::string nameOf(v1::Algorithm algorithm) {
  return absl::AsciiStrToLower(
      absl::StripPrefix(absl::string_view(v1::Algorithm_Name(algorithm)), "ALGORITHM_"));
}

void checkAlgorithm(v1::Algorithm algorithm, const Place& place) {
  if (v1::Algorithm_IsValid(algorithm)) return;
  std::vector<std::string> known;
  for (int i = v1::Algorithm_MIN + 1; i <= v1::Algorithm_MAX; ++i) {
    if (v1::Algorithm_IsValid(i)) known.push_back(nameOf(static_cast<v1::Algorithm>(i)));
  }
  place.refuse("enum", absl::StrCat(static_cast<int>(algorithm)),
               absl::StrCat("there is no such algorithm; there are ", absl::StrJoin(known, ", ")));
}

void checkToken(const std::string& name, absl::string_view what, const Place& place) {
  if (isToken(name)) return;
  place.refuse(name.empty() ? "required" : "syntax", name,
               absl::StrCat("the name of a ", what, " is needed, such as \"user\""));
}

void checkHashKey(const v1::HashKey& key, const Place& place) {
  switch (key.key_case()) {
    case v1::HashKey::kHeader:
      checkToken(key.header(), "header", place.field("header"));
      break;
    case v1::HashKey::kCookie:
      checkToken(key.cookie(), "cookie", place.field("cookie"));
      break;
    case v1::HashKey::kQuery:
      if (key.query().empty()) {
        place.field("query").refuse("required", "", "the name of a query parameter is needed");
      }
      break;
    case v1::HashKey::kSourceIp:
    case v1::HashKey::kPath: {
      const bool path = key.key_case() == v1::HashKey::kPath;
      if (path ? !key.path() : !key.source_ip()) {
        place.field(path ? "path" : "source_ip")
            .refuse("value", "false", "must be true; or choose another key");
      }
      break;
    }
    case v1::HashKey::KEY_NOT_SET:
      place.refuse("required", "",
                   "set one of source_ip, header, cookie, query and path, such as "
                   "{header: x-user}");
  }
  if (!key.has_cookie_ttl()) return;
  checkDuration(key.cookie_ttl(), 0, kYearMs, "0 to 365 days", place.field("cookie_ttl"));
  if (key.key_case() != v1::HashKey::kCookie) {
    place.field("cookie_ttl")
        .refuse("conflict", "", "is for cookies only; set cookie, or remove it");
  }
}

void checkLoad(const v1::Pool& pool, const std::string& algorithm, const Place& place) {
  if (pool.max_load_percent() == 0) return;
  checkRange(pool.max_load_percent(), kLeastLoad, kMostLoad, place);
  if (!goesByKey(pool.algorithm())) {
    place.refuse("conflict", algorithm,
                 "only consistent_hash and maglev need a bound; choose one of them, or remove it");
  }
}

void checkPoints(const v1::Pool& pool, const std::string& algorithm, const Place& place) {
  if (pool.points_per_weight() == 0) return;
  checkRange(pool.points_per_weight(), 1, kMostPoints, place);
  if (pool.algorithm() != v1::ALGORITHM_CONSISTENT_HASH) {
    place.refuse("conflict", algorithm,
                 "only consistent_hash has a ring; choose that, or remove it");
  }
}

}  // namespace

bool goesByKey(v1::Algorithm algorithm) {
  return algorithm == v1::ALGORITHM_CONSISTENT_HASH || algorithm == v1::ALGORITHM_MAGLEV;
}

void checkBalancing(const v1::Pool& pool, const Place& place) {
  checkAlgorithm(pool.algorithm(), place.field("algorithm"));
  const std::string algorithm =
      v1::Algorithm_IsValid(pool.algorithm()) ? nameOf(pool.algorithm()) : "";
  if (pool.has_hash_key()) {
    checkHashKey(pool.hash_key(), place.field("hash_key"));
    if (!goesByKey(pool.algorithm())) {
      place.field("hash_key")
          .refuse("conflict", algorithm,
                  "only consistent_hash and maglev go by a key; choose one of them, or remove it");
    }
  }
  checkLoad(pool, algorithm, place.field("max_load_percent"));
  checkPoints(pool, algorithm, place.field("points_per_weight"));
}

void checkRouteHashKey(const v1::Route& route, const Place& place) {
  if (!route.has_hash_key()) return;
  const Place key = place.field("hash_key");
  checkHashKey(route.hash_key(), key);
  if (route.action_case() == v1::Route::kDirectResponse) {
    key.refuse("conflict", "",
               "only a route to a pool has a hash key; remove it, or set pool on this route");
  }
}

}  // namespace convoy::controlplane::validate
