#include "proxy/http/hop_by_hop.h"

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "proxy/base/strings.h"

namespace convoy::http {

namespace {

constexpr uint32_t bit(HeaderName name) {
  return uint32_t{1} << static_cast<uint8_t>(name);
}
static_assert(static_cast<int>(HeaderName::kCount) <= 32, "names fit into one mask");

// Fields of one connection, whether Connection names them or not. TE is judged by its value.
constexpr uint32_t kOwnHop = bit(HeaderName::Connection) | bit(HeaderName::KeepAlive) |
                             bit(HeaderName::ProxyConnection) | bit(HeaderName::TransferEncoding) |
                             bit(HeaderName::Upgrade);

// Known fields that Connection may name to have them removed. The others are end to end.
constexpr uint32_t kMayBeNamed =
    kOwnHop | bit(HeaderName::Te) | bit(HeaderName::Trailer) | bit(HeaderName::Accept) |
    bit(HeaderName::AcceptEncoding) | bit(HeaderName::Expect) | bit(HeaderName::Origin) |
    bit(HeaderName::Referer) | bit(HeaderName::Server) | bit(HeaderName::UserAgent);

// What the Connection fields of a message name: known names as a mask, others as text.
struct Named {
  uint32_t known = 0;
  absl::InlinedVector<std::string_view, 4> others;

  bool has(const HeaderField& field) const {
    if (field.id != HeaderName::Other) return (known & bit(field.id)) != 0;
    for (const std::string_view other : others) {
      if (base::equalsIgnoreCase(other, field.name)) return true;
    }
    return false;
  }
};

void collect(std::string_view connection, Named& named) {
  forEachToken(connection, [&named](std::string_view token) {
    if (base::equalsIgnoreCase(token, "close")) return;  // an option, never a field's name
    const HeaderName id = classify(token);
    if (id == HeaderName::Other) {
      named.others.push_back(token);
    } else {
      named.known |= bit(id) & kMayBeNamed;
    }
  });
}

}  // namespace

void removeHopByHop(HeaderList& headers) {
  HeaderList::Fields& fields = headers.fields();
  uint32_t present = 0;
  for (const HeaderField& field : fields) present |= bit(field.id);
  if ((present & (kOwnHop | bit(HeaderName::Te))) == 0) return;

  Named named;
  if ((present & bit(HeaderName::Connection)) != 0) {
    for (const HeaderField& field : fields) {
      if (field.id == HeaderName::Connection) collect(field.value, named);
    }
  }
  size_t kept = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    const HeaderField& field = fields[i];
    const bool te_trailers =
        field.id == HeaderName::Te && base::equalsIgnoreCase(field.value, "trailers");
    const bool goes = (bit(field.id) & (kOwnHop | bit(HeaderName::Te))) != 0 || named.has(field);
    if (goes && !te_trailers) continue;
    if (kept != i) fields[kept] = field;
    ++kept;
  }
  fields.resize(kept);
}

}  // namespace convoy::http
