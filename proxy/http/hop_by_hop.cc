#include "proxy/http/hop_by_hop.h"

#include <cstddef>
#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "proxy/base/strings.h"
#include "proxy/http/trailer_fields.h"

namespace convoy::http {

namespace {

// Fields of one connection, whether Connection names them or not. TE is judged by its value.
constexpr uint32_t kOwnHop =
    nameMask(HeaderName::Connection, HeaderName::KeepAlive, HeaderName::ProxyConnection,
             HeaderName::TransferEncoding, HeaderName::Upgrade);
constexpr uint32_t kOwnHopOrTe = kOwnHop | nameMask(HeaderName::Te);

// Known fields that Connection may name to have them removed. The others are end to end.
constexpr uint32_t kMayBeNamed =
    kOwnHopOrTe | nameMask(HeaderName::Trailer, HeaderName::Accept, HeaderName::AcceptEncoding,
                           HeaderName::Expect, HeaderName::Origin, HeaderName::Referer,
                           HeaderName::Server, HeaderName::UserAgent);

// What the Connection fields of a message name: known names as a mask, others as text.
struct Named {
  uint32_t known = 0;
  absl::InlinedVector<std::string_view, 4> others;

  bool has(const HeaderField& field) const {
    if (field.id != HeaderName::Other) return (known & nameMask(field.id)) != 0;
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
      named.known |= nameMask(id) & kMayBeNamed;
    }
  });
}

}  // namespace

void removeHopByHop(HeaderList& headers) {
  HeaderList::Fields& fields = headers.fields();
  const uint32_t present = fields.names();
  if ((present & kOwnHopOrTe) == 0) return;

  Named named;
  if ((present & nameMask(HeaderName::Connection)) != 0) {
    for (const HeaderField& field : fields) {
      if (field.id == HeaderName::Connection) collect(field.value, named);
    }
  }
  size_t kept = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    const HeaderField& field = fields[i];
    const bool te_trailers =
        field.id == HeaderName::Te && base::equalsIgnoreCase(field.value, "trailers");
    const bool goes = (nameMask(field.id) & kOwnHopOrTe) != 0 || named.has(field);
    if (goes && !te_trailers) continue;
    if (kept != i) fields[kept] = field;
    ++kept;
  }
  fields.truncate(kept);
}

std::string_view namedForTrailers(const HeaderList& head, base::Arena& arena) {
  Named named;
  size_t size = 0;
  for (const HeaderField& field : head) {
    if (field.id != HeaderName::Connection) continue;
    collect(field.value, named);
    size += field.value.size() + 1;
  }
  if (named.others.empty() && (named.known & ~kNotInTrailers) == 0) return {};
  char* const list = arena.allocate(size);
  size_t at = 0;
  for (const HeaderField& field : head) {
    if (field.id != HeaderName::Connection) continue;
    at += field.value.copy(list + at, field.value.size());
    list[at++] = ',';
  }
  return {list, at};
}

void removeNamed(std::string_view list, HeaderList& trailers) {
  Named named;
  collect(list, named);
  trailers.removeIf([&named](const HeaderField& field) { return named.has(field); });
}

}  // namespace convoy::http
