#include "proxy/http/request_prep.h"

#include "proxy/http/client_cert.h"
#include "proxy/http/forwarding.h"
#include "proxy/http/hop_by_hop.h"
#include "proxy/http/request_id.h"

namespace convoy::http {

void prepareRequest(RequestHead& head, ManagerRuntime& runtime, base::Arena& arena,
                    StreamInfo& info) {
  const ConnectionManagerSpec& spec = *runtime.spec;
  removeHopByHop(head.headers);
  prepareForwarding(head, spec, arena, info);
  prepareClientCert(head.headers, spec, arena, info);
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
