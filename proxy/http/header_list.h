#pragma once

// An ordered list of header fields: names and values are views into memory that outlives the list
// (the codec's input during its callback, then the request's arena). Order and case are kept as
// received; lookups ignore ASCII case. A message has tens of fields: lookups are linear over one
// byte per field, not hashed.

#include <cstdint>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "proxy/base/arena.h"

namespace convoy::http {

// Names that the proxy itself acts on. classify() finds one in a few comparisons.
enum class HeaderName : uint8_t {
  Other,
  Accept,
  AcceptEncoding,
  Authorization,
  CacheControl,
  Connection,
  ContentLength,
  ContentType,
  Cookie,
  Date,
  Expect,
  Forwarded,
  Host,
  KeepAlive,
  Origin,
  ProxyConnection,
  Referer,
  Server,
  SetCookie,
  Te,
  Trailer,
  TransferEncoding,
  Upgrade,
  UserAgent,
  Via,
  XForwardedFor,
  XForwardedHost,
  XForwardedProto,
  XRequestId,
  kCount
};

// Names as a set of bits.
template <typename... Names>
constexpr uint32_t nameMask(Names... names) {
  static_assert(static_cast<int>(HeaderName::kCount) <= 32);
  return ((uint32_t{1} << static_cast<uint8_t>(names)) | ...);
}

HeaderName classify(std::string_view name);
std::string_view canonicalName(HeaderName name);  // lower case; empty for Other

struct HeaderField {
  std::string_view name;
  std::string_view value;  // without surrounding white space
  HeaderName id = HeaderName::Other;
};

// True if name and value lie in memory as on the wire: "name: value".
inline bool liesAsOnTheWire(const HeaderField& field) {
  const char* const end = field.name.data() + field.name.size();
  return field.value.data() == end + 2 && end[0] == ':' && end[1] == ' ';
}
// True if `field` lies as on the wire too and begins where the CRLF behind `previous`, which does,
// ends: the two can be copied as one.
inline bool continuesOnTheWire(const HeaderField& previous, const HeaderField& field) {
  const char* const end = previous.value.data() + previous.value.size();
  return field.name.data() == end + 2 && end[0] == '\r' && end[1] == '\n' && liesAsOnTheWire(field);
}

class HeaderList {
 public:
  using Fields = absl::InlinedVector<HeaderField, 24>;

  void add(HeaderName id, std::string_view value) {
    fields_.push_back({canonicalName(id), value, id});
  }
  void add(std::string_view name, std::string_view value) {
    fields_.push_back({name, value, classify(name)});
  }
  void add(const HeaderField& field) { fields_.push_back(field); }

  // First field of that name, or null.
  const HeaderField* find(HeaderName id) const;
  const HeaderField* find(std::string_view name) const;
  std::string_view valueOr(HeaderName id, std::string_view otherwise) const;
  int count(HeaderName id) const;

  // Sets to exactly one field of that name.
  void set(HeaderName id, std::string_view value);
  void set(std::string_view name, std::string_view value);
  // Both return how many went.
  int remove(HeaderName id);
  int remove(std::string_view name);

  // Points all views into copies in the arena. The copies are one block in the form of the wire
  // ("name: value" CRLF): a codec writes fields that follow each other in it with one copy.
  void copyInto(base::Arena& arena);

  void clear() { fields_.clear(); }
  bool empty() const { return fields_.empty(); }
  size_t size() const { return fields_.size(); }
  Fields& fields() { return fields_; }
  const Fields& fields() const { return fields_; }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  template <typename Predicate>
  int removeIf(Predicate matches);
  // Gives the field at `found` the value of `field` and removes later ones of that name; appends
  // `field` if found is null.
  void setFirst(const HeaderField* found, const HeaderField& field);

  Fields fields_;
};

}  // namespace convoy::http
