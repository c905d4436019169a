#include "proxy/http/request_prep.h"

#include "proxy/base/strings.h"
#include "proxy/http/hop_by_hop.h"
#include "proxy/http/request_id.h"

namespace convoy::http {

namespace {

constexpr size_t kIpTextBytes = 46;

std::string_view peerIp(const net::Address& remote, base::Arena& arena) {
  char* text = arena.allocate(kIpTextBytes);
  return {text, remote.writeIpText(text)};
}

std::string_view join(std::string_view list, std::string_view element, base::Arena& arena) {
  if (list.empty()) return element;
  constexpr std::string_view kSeparator = ", ";
  char* const text = arena.allocate(list.size() + kSeparator.size() + element.size());
  char* at = text;
  for (const std::string_view part : {list, kSeparator, element}) {
    at += part.copy(at, part.size());
  }
  return {text, static_cast<size_t>(at - text)};
}

// The entry `hops` places from the right (0: the last); the leftmost if the list is shorter; empty
// if there is none.
std::string_view fromTheRight(std::string_view list, uint32_t hops) {
  while (true) {
    const size_t comma = list.rfind(',');
    std::string_view entry = comma == std::string_view::npos ? list : list.substr(comma + 1);
    const size_t begin = entry.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    entry = entry.substr(begin, entry.find_last_not_of(" \t") - begin + 1);
    if (hops == 0 || comma == std::string_view::npos) return entry;
    list = list.substr(0, comma);
    --hops;
  }
}

// Several fields of one name are one list (RFC 9110 5.3).
std::string_view combined(const HeaderList& headers, HeaderName id, base::Arena& arena) {
  std::string_view list;
  for (const HeaderField& field : headers) {
    if (field.id == id) list = list.empty() ? field.value : join(list, field.value, arena);
  }
  return list;
}

void prepareForwardedFor(RequestHead& head, const ConnectionManagerSpec& spec, base::Arena& arena,
                         StreamInfo& info) {
  const std::string_view peer = peerIp(*info.downstream_remote, arena);
  const std::string_view received = combined(head.headers, HeaderName::XForwardedFor, arena);
  info.downstream_ip = peer;
  if (spec.use_remote_address) {
    // The peer itself is the first hop that we know; trusted hops are those before it.
    if (spec.xff_num_trusted_hops > 0 && !received.empty()) {
      info.downstream_ip = fromTheRight(received, spec.xff_num_trusted_hops - 1);
    }
    if (!spec.skip_xff_append) {
      head.headers.set(HeaderName::XForwardedFor, join(received, peer, arena));
    }
  } else if (!received.empty()) {
    const std::string_view client = fromTheRight(received, spec.xff_num_trusted_hops);
    if (!client.empty()) info.downstream_ip = client;
  }
}

// "h2c" (RFC 9113 3.1 made it obsolete), "TLS/1.2" and the like, or a list of such.
bool isOfferOnly(std::string_view upgrade) {
  bool only = true;
  forEachToken(upgrade, [&](std::string_view token) {
    const bool tls = base::equalsIgnoreCase(token.substr(0, 4), "tls/");
    if (!tls && !base::equalsIgnoreCase(token, "h2c")) only = false;
  });
  return only;
}

}  // namespace

bool asksForTunnel(RequestHead& head) {
  if (!head.upgrade.empty() && isOfferOnly(head.upgrade)) head.upgrade = {};
  return !head.upgrade.empty() || head.method == "CONNECT";
}

void prepareRequest(RequestHead& head, ManagerRuntime& runtime, base::Arena& arena,
                    StreamInfo& info) {
  const ConnectionManagerSpec& spec = *runtime.spec;
  removeHopByHop(head.headers);
  prepareForwardedFor(head, spec, arena, info);
  const bool trusts_hop = !spec.use_remote_address || spec.xff_num_trusted_hops > 0;
  if (!trusts_hop || head.headers.find(HeaderName::XForwardedProto) == nullptr) {
    head.headers.set(HeaderName::XForwardedProto, head.scheme);
  }
  // At the edge (use_remote_address) a client's own id is replaced unless it is to be kept.
  const HeaderField* id = head.headers.find(HeaderName::XRequestId);
  const bool keep =
      id != nullptr && (!spec.use_remote_address || spec.preserve_external_request_id);
  if (!keep && spec.generate_request_id) {
    info.request_id = makeRequestId(runtime.loop.random(), arena);
    head.headers.set(HeaderName::XRequestId, info.request_id);
  } else if (id != nullptr) {
    info.request_id = id->value;
  }
  if (!spec.via.empty()) head.headers.add(HeaderName::Via, spec.via);
}

void prepareResponse(ResponseHead& head, ManagerRuntime& runtime, StreamInfo& info) {
  const ConnectionManagerSpec& spec = *runtime.spec;
  removeHopByHop(head.headers);
  const bool has_server = head.headers.find(HeaderName::Server) != nullptr;
  if (spec.server_header == ServerHeaderPolicy::Overwrite ||
      (spec.server_header == ServerHeaderPolicy::AppendIfAbsent && !has_server)) {
    head.headers.set(HeaderName::Server, spec.server_name);
  }
  if (head.headers.find(HeaderName::Date) == nullptr) {
    const auto wall = runtime.wall.at(runtime.loop.now()).time_since_epoch();
    head.headers.add(
        HeaderName::Date,
        runtime.dates.at(std::chrono::duration_cast<std::chrono::seconds>(wall).count()));
  }
  if (spec.always_set_request_id_in_response && !info.request_id.empty()) {
    head.headers.set(HeaderName::XRequestId, info.request_id);
  }
  if (!spec.via.empty()) head.headers.add(HeaderName::Via, spec.via);
}

}  // namespace convoy::http
