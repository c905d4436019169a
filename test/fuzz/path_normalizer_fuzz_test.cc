// Any target to the path policy, the first byte choosing the policy. What comes out has none of
// what the policy takes out, is not longer, keeps its query, and does not change a second time:
// whoever reads the path after us finds nothing left to normalize.

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/base/assert.h"
#include "proxy/http/path_normalizer.h"

namespace convoy::http {
namespace {

PathPolicy policyOf(uint8_t choice) {
  return {.normalize = (choice & 1) != 0,
          .merge_slashes = (choice & 2) != 0,
          .escaped_slashes = static_cast<EscapedSlashes>((choice >> 2) & 3)};
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

void checkResult(const PathPolicy& policy, std::string_view given, std::string_view result) {
  const std::string_view path = result.substr(0, result.find('?'));
  CONVOY_ASSERT(result.size() <= given.size() && result[0] == '/');
  const size_t query = given.find('?');
  if (query != std::string_view::npos) CONVOY_ASSERT(result.ends_with(given.substr(query)));
  if (policy.merge_slashes) CONVOY_ASSERT(!has(path, "//"));
  if (!policy.normalize) return;
  const std::string closed = std::string(path) + "/";
  CONVOY_ASSERT(!has(closed, "/./") && !has(closed, "/../") && !has(path, "\\"));
  for (const std::string_view escape : {"%00", "%2e", "%2E", "%61", "%7e", "%7E"}) {
    CONVOY_ASSERT(!has(path, escape));
  }
  if (policy.escaped_slashes == EscapedSlashes::Keep) return;
  for (const std::string_view escape : {"%2f", "%2F", "%5c", "%5C"}) {
    CONVOY_ASSERT(!has(path, escape));
  }
}

void check(const PathPolicy& policy, std::string_view given) {
  base::Arena arena;
  std::string_view once = given;
  const PathVerdict verdict = applyPathPolicy(policy, once, arena);
  if (verdict == PathVerdict::Refuse || verdict == PathVerdict::RefuseSlashes) return;
  if (given.empty() || given[0] != '/') {
    CONVOY_ASSERT(once == given);
    return;
  }
  checkResult(policy, given, once);
  if (!policy.normalize) return;  // alone, unescaping may be done twice: "%2%35f"
  std::string_view twice = once;
  CONVOY_ASSERT(applyPathPolicy(policy, twice, arena) == PathVerdict::Forward);
  CONVOY_ASSERT(twice == once);
}

}  // namespace
}  // namespace convoy::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 4096) return 0;
  const std::string_view target(reinterpret_cast<const char*>(data) + 1, size - 1);
  convoy::http::check(convoy::http::policyOf(data[0]), target);
  return 0;
}
