#include "proxy/http/authority.h"

#include "proxy/http/h1_scan.h"

namespace convoy::http {

namespace {

// `text` is what follows the host: nothing, or ":" and the port.
bool isPort(std::string_view text, PortRule rule) {
  if (text.empty()) return rule == PortRule::Optional;
  if (text[0] != ':') return false;
  text.remove_prefix(1);
  if (text.empty()) return rule == PortRule::Optional;
  if (text.size() > 5) return false;
  uint32_t port = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    port = port * 10 + static_cast<uint32_t>(c - '0');
  }
  return port <= 65535;
}

// The inside of "[...]". Coarse: an address that does not parse is refused by whoever connects.
bool isIpv6(std::string_view text) {
  return text.size() >= 2 && text.find(':') != std::string_view::npos &&
         text.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

}  // namespace

bool isAuthority(std::string_view text, PortRule rule) {
  if (rule == PortRule::Optional && h1::onlyWordChars(text)) return true;  // a name, as most are
  if (text.empty()) return false;
  if (text[0] == '[') {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    return isIpv6(text.substr(1, end - 1)) && isPort(text.substr(end + 1), rule);
  }
  const char* const end = text.data() + text.size();
  const char* const host_end = h1::skip(h1::HostChar, text.data(), end);
  if (host_end == text.data()) return false;
  return isPort({host_end, static_cast<size_t>(end - host_end)}, rule);
}

}  // namespace convoy::http
