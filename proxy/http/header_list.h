#pragma once

// An ordered list of header fields: names and values are views into memory that outlives the list
// (the codec's input during its callback, then the request's arena). Order and case are kept as
// received; lookups ignore ASCII case. A message has tens of fields: lookups are linear over one
// byte per field, not hashed.

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "proxy/base/arena.h"
#include "proxy/http/header_field.h"
#include "proxy/http/header_name.h"

namespace convoy::http {

class HeaderList {
 public:
  using Fields = FieldVector;

  void add(HeaderName id, std::string_view value) { fields_.add({canonicalName(id), value, id}); }
  void add(std::string_view name, std::string_view value) {
    fields_.add({name, value, classify(name)});
  }
  // Inlined by force: parsers call it for every field.
  [[gnu::always_inline]] void add(const HeaderField& field) { fields_.add(field); }

  // False if there is no field of that name, without looking at the fields.
  bool mayHave(HeaderName id) const { return (fields_.names() & nameMask(id)) != 0; }
  // The same of all fields that proxies tell each other (mayBeOfProxies).
  bool mayHaveOfProxies() const { return (fields_.names() & kOfProxies) != 0; }
  // First field of that name, or null.
  const HeaderField* find(HeaderName id) const;
  const HeaderField* find(std::string_view name) const;
  std::string_view valueOr(HeaderName id, std::string_view otherwise) const;
  int count(HeaderName id) const;

  // Sets to exactly one field of that name.
  void set(HeaderName id, std::string_view value) {
    mayHave(id) ? replace(id, value) : add(id, value);
  }
  void set(std::string_view name, std::string_view value);
  // All return how many went.
  int remove(HeaderName id);
  int remove(std::string_view name);
  template <typename Predicate>
  int removeIf(Predicate matches);

  // Points all views into copies in the arena. The copies are one block in the form of the wire
  // ("name: value" CRLF): a codec writes fields that follow each other in it with one copy.
  void copyInto(base::Arena& arena);

  // The same for views that all lie in `from`, whose bytes are at `to` as well.
  void shift(std::string_view from, const char* to) {
    for (HeaderField& field : fields_) {
      field.name = {to + (field.name.data() - from.data()), field.name.size()};
      field.value = {to + (field.value.data() - from.data()), field.value.size()};
    }
  }

  void clear() { fields_.clear(); }
  bool empty() const { return fields_.empty(); }
  size_t size() const { return fields_.size(); }
  Fields& fields() { return fields_; }
  const Fields& fields() const { return fields_; }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  void replace(HeaderName id, std::string_view value);
  // Gives the field at `found` the value of `field` and removes later ones of that name; appends
  // `field` if found is null.
  void setFirst(const HeaderField* found, const HeaderField& field);

  Fields fields_;
};

template <typename Predicate>
int HeaderList::removeIf(Predicate matches) {
  const auto* const kept = std::remove_if(fields_.begin(), fields_.end(), matches);
  const auto removed = fields_.end() - kept;
  fields_.truncate(static_cast<size_t>(kept - fields_.begin()));
  return static_cast<int>(removed);
}

}  // namespace convoy::http
