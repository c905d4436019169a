#include "proxy/http/header_list.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "proxy/base/strings.h"

namespace convoy::http {

namespace {

constexpr size_t kFieldOverhead = 4;  // ": " and CRLF

char* put(char* at, std::string_view text) {
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

}  // namespace

const HeaderField* HeaderList::find(HeaderName id) const {
  if (!mayHave(id)) return nullptr;
  for (const HeaderField& field : fields_) {
    if (field.id == id) return &field;
  }
  return nullptr;
}

const HeaderField* HeaderList::find(std::string_view name) const {
  const HeaderName id = classify(name);
  if (id != HeaderName::Other) return find(id);
  for (const HeaderField& field : fields_) {
    if (field.id == id && base::equalsIgnoreCase(field.name, name)) return &field;
  }
  return nullptr;
}

std::string_view HeaderList::valueOr(HeaderName id, std::string_view otherwise) const {
  const HeaderField* const field = find(id);
  return field != nullptr ? field->value : otherwise;
}

int HeaderList::count(HeaderName id) const {
  return static_cast<int>(std::count_if(fields_.begin(), fields_.end(),
                                        [id](const HeaderField& field) { return field.id == id; }));
}

void HeaderList::setFirst(const HeaderField* found, const HeaderField& field) {
  if (found == nullptr) {
    fields_.add(field);
    return;
  }
  const size_t at = static_cast<size_t>(found - fields_.data());
  fields_[at].value = field.value;
  size_t index = 0;
  removeIf([&](const HeaderField& other) {
    if (index++ <= at || other.id != field.id) return false;
    return field.id != HeaderName::Other || base::equalsIgnoreCase(other.name, field.name);
  });
}

void HeaderList::replace(HeaderName id, std::string_view value) {
  setFirst(find(id), {canonicalName(id), value, id});
}

void HeaderList::set(std::string_view name, std::string_view value) {
  setFirst(find(name), {name, value, classify(name)});
}

int HeaderList::remove(HeaderName id) {
  return removeIf([id](const HeaderField& field) { return field.id == id; });
}

int HeaderList::remove(std::string_view name) {
  const HeaderName id = classify(name);
  if (id != HeaderName::Other) return remove(id);
  return removeIf([name](const HeaderField& field) {
    return field.id == HeaderName::Other && base::equalsIgnoreCase(field.name, name);
  });
}

void HeaderList::copyInto(base::Arena& arena) {
  size_t total = 0;
  for (const HeaderField& field : fields_) {
    total += field.name.size() + field.value.size() + kFieldOverhead;
  }
  if (total == 0) return;
  char* out = arena.allocate(total);
  for (size_t i = 0; i < fields_.size();) {
    HeaderField& first = fields_[i];
    if (liesAsOnTheWire(first)) {
      // Take as many fields as follow each other without a gap, and copy them at once.
      size_t next = i + 1;
      while (next < fields_.size() && continuesOnTheWire(fields_[next - 1], fields_[next])) ++next;
      const char* const from = first.name.data();
      const char* const from_end = fields_[next - 1].value.data() + fields_[next - 1].value.size();
      for (; i < next; ++i) {
        fields_[i].name = {out + (fields_[i].name.data() - from), fields_[i].name.size()};
        fields_[i].value = {out + (fields_[i].value.data() - from), fields_[i].value.size()};
      }
      out = put(put(out, {from, static_cast<size_t>(from_end - from)}), "\r\n");
    } else {
      char* const value = put(put(out, first.name), ": ");
      first.name = {out, first.name.size()};
      out = put(put(value, first.value), "\r\n");
      first.value = {value, first.value.size()};
      ++i;
    }
  }
}

}  // namespace convoy::http
