#include "proxy/http/local_reply.h"

namespace convoy::http {

std::string_view buildLocalReply(const LocalReply& reply, const RequestHead& request,
                                 base::Arena& arena, ResponseHead& head) {
  const FailureInfo& why = info(reply.failure);
  head.clear();
  head.protocol = request.protocol;
  head.status = reply.status != 0 ? reply.status : why.status;
  CONVOY_ASSERT(head.status >= 200 && head.status < 600);
  if (!reply.location.empty()) head.headers.add("location", arena.copy(reply.location));
  std::string_view body;
  if (!reply.empty_body) body = arena.copy(reply.body.empty() ? why.text : reply.body);
  if (!body.empty()) head.headers.add(HeaderName::ContentType, "text/plain");
  const bool allows_body = head.status != 204 && head.status != 304;
  if (!allows_body) body = {};
  head.body = {allows_body ? BodyLength::Kind::Known : BodyLength::Kind::None, body.size()};
  return body;
}

}  // namespace convoy::http
