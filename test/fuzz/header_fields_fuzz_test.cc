// Any tokens as names and any bytes as values of header fields, as another protocol or a filter may
// bring them, written by our HTTP/1.1 writer and read by our parser. Whatever the bytes are, what
// is read is no second request and no body; a request that is read has only fields that were given.
// The first byte chooses what becomes of underscores.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/assert.h"
#include "proxy/http/authority.h"
#include "proxy/http/h1_scan.h"
#include "proxy/http/http_date.h"
#include "proxy/http/request_admission.h"
#include "test/proxy/http/h1_messages.h"

namespace convoy::http {
namespace {

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

// "name" 0xff "value" 0xfe ...
Fields split(std::string_view bytes) {
  Fields fields;
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\xfe'), bytes.size());
    const std::string_view field = bytes.substr(0, end);
    const size_t middle = std::min(field.find('\xff'), field.size());
    fields.emplace_back(field.substr(0, middle), field.substr(std::min(middle + 1, field.size())));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return fields;
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

void check(uint8_t choice, const Fields& fields) {
  RequestHead head;
  head.method = "GET";
  head.target = "/";
  head.authority = "a.test";
  head.scheme = "http";
  for (const auto& [name, value] : fields) {
    if (!name.empty() && h1::isToken(name)) head.headers.add(name, value);
  }
  removeHopByHop(head.headers);
  ConnectionManagerSpec spec;
  spec.underscores = static_cast<UnderscoresAction>(choice % 3);
  ManagerMetrics metrics;
  base::Arena arena;
  if (admitRequest(head, spec, StreamInfo(), arena, metrics).has_value()) return;
  for (const HeaderField& field : head.headers) {
    if (spec.underscores == UnderscoresAction::Allow) break;
    CONVOY_ASSERT(field.name.find('_') == std::string_view::npos);
  }
  RequestCollector received;
  net::ByteQueue wire;
  writeRequestHead(wire, head, {});
  received.codec.dispatch(wire.toString());
  CONVOY_ASSERT(received.requests.size() <= 1);
  for (const auto& request : received.requests) {
    CONVOY_ASSERT(request->complete && request->body.empty());
    CONVOY_ASSERT(request->head.authority == "a.test" && request->head.target == "/");
    for (const HeaderField& field : request->head.headers) {
      // The writer's own: "TE: trailers" is named by a Connection field.
      if (field.id == HeaderName::Connection || field.id == HeaderName::Te) continue;
      CONVOY_ASSERT(std::any_of(fields.begin(), fields.end(), [&](const auto& given) {
        return given.first == field.name && trimmed(given.second) == field.value;
      }));
    }
  }
}

}  // namespace
}  // namespace convoy::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0 || size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  convoy::http::isAuthority(bytes, convoy::http::PortRule::Optional);
  convoy::http::parseHttpDate(bytes);
  convoy::http::check(data[0], convoy::http::split(bytes));
  return 0;
}
