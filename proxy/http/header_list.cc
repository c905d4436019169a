#include "proxy/http/header_list.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "proxy/base/strings.h"

namespace convoy::http {

namespace {

constexpr size_t kNames = static_cast<size_t>(HeaderName::kCount);

constexpr std::string_view kCanonical[kNames] = {
    "",
    "accept",
    "accept-encoding",
    "authorization",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "proxy-connection",
    "referer",
    "server",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-request-id",
};

// A constant name as machine words. `fold` has 0x20 where the name has a letter and nothing
// elsewhere, so that (input | fold) == expected is exactly an ASCII-case-insensitive comparison: a
// control byte can never pass as '-' nor '@' as a backquote.
template <typename Word>
struct FoldedWord {
  Word expected = 0;
  Word fold = 0;
};

template <typename Word>
constexpr FoldedWord<Word> foldedWord(std::string_view name, size_t at) {
  FoldedWord<Word> out;
  for (size_t i = 0; i < sizeof(Word); ++i) {
    const auto c = static_cast<unsigned char>(name[at + i]);
    out.expected |= static_cast<Word>(static_cast<Word>(c) << (8 * i));
    if (c >= 'a' && c <= 'z') out.fold |= static_cast<Word>(Word{0x20} << (8 * i));
  }
  return out;
}

template <typename Word>
inline bool matches(const char* at, FoldedWord<Word> word) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "foldedWord() assumes it");
  Word input;
  std::memcpy(&input, at, sizeof(input));
  return static_cast<Word>(input | word.fold) == word.expected;
}

// Compares the first and the last word of the two texts, which overlap or touch; a text of more
// than two words needs the ones between as well.
template <HeaderName name, typename Word>
inline bool matchesWords(const char* at) {
  constexpr std::string_view kText = kCanonical[static_cast<size_t>(name)];
  constexpr size_t kLast = kText.size() - sizeof(Word);
  constexpr FoldedWord<Word> kHead = foldedWord<Word>(kText, 0);
  constexpr FoldedWord<Word> kTail = foldedWord<Word>(kText, kLast);
  if (!matches(at, kHead) || !matches(at + kLast, kTail)) return false;
  if constexpr (kText.size() > 2 * sizeof(Word)) {
    static_assert(kText.size() <= 3 * sizeof(Word));
    constexpr FoldedWord<Word> kMiddle = foldedWord<Word>(kText, sizeof(Word));
    return matches(at + sizeof(Word), kMiddle);
  }
  return true;
}

// True if the text at `at`, which is as long as the name, is that name.
template <HeaderName name>
inline bool is(const char* at) {
  constexpr size_t kLength = kCanonical[static_cast<size_t>(name)].size();
  static_assert(kLength >= 2);
  if constexpr (kLength >= 8) {
    return matchesWords<name, uint64_t>(at);
  } else if constexpr (kLength >= 4) {
    return matchesWords<name, uint32_t>(at);
  } else {
    return matchesWords<name, uint16_t>(at);
  }
}

template <HeaderName... candidates>
inline HeaderName firstOf(const char* at) {
  HeaderName found = HeaderName::Other;
  (void)((is<candidates>(at) && (found = candidates, true)) || ...);
  return found;
}

constexpr size_t kFieldOverhead = 4;  // ": " and CRLF

char* put(char* at, std::string_view text) {
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

}  // namespace

HeaderName classify(std::string_view name) {
  const char* const at = name.data();
  switch (name.size()) {
    case 2:
      return firstOf<HeaderName::Te>(at);
    case 3:
      return firstOf<HeaderName::Via>(at);
    case 4:
      return firstOf<HeaderName::Host, HeaderName::Date>(at);
    case 6:
      return firstOf<HeaderName::Accept, HeaderName::Cookie, HeaderName::Server, HeaderName::Origin,
                     HeaderName::Expect>(at);
    case 7:
      return firstOf<HeaderName::Referer, HeaderName::Upgrade, HeaderName::Trailer>(at);
    case 9:
      return firstOf<HeaderName::Forwarded>(at);
    case 10:
      return firstOf<HeaderName::Connection, HeaderName::UserAgent, HeaderName::SetCookie,
                     HeaderName::KeepAlive>(at);
    case 12:
      return firstOf<HeaderName::ContentType, HeaderName::XRequestId>(at);
    case 13:
      return firstOf<HeaderName::CacheControl, HeaderName::Authorization>(at);
    case 14:
      return firstOf<HeaderName::ContentLength>(at);
    case 15:
      return firstOf<HeaderName::AcceptEncoding, HeaderName::XForwardedFor>(at);
    case 16:
      return firstOf<HeaderName::XForwardedHost, HeaderName::ProxyConnection>(at);
    case 17:
      return firstOf<HeaderName::TransferEncoding, HeaderName::XForwardedProto>(at);
    default:
      return HeaderName::Other;
  }
}

std::string_view canonicalName(HeaderName name) {
  return kCanonical[static_cast<size_t>(name)];
}

const HeaderField* HeaderList::find(HeaderName id) const {
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

template <typename Predicate>
int HeaderList::removeIf(Predicate matches) {
  const auto kept = std::remove_if(fields_.begin(), fields_.end(), matches);
  const auto removed = fields_.end() - kept;
  fields_.erase(kept, fields_.end());
  return static_cast<int>(removed);
}

void HeaderList::setFirst(const HeaderField* found, const HeaderField& field) {
  if (found == nullptr) {
    fields_.push_back(field);
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

void HeaderList::set(HeaderName id, std::string_view value) {
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
