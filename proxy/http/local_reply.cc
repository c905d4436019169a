#include "proxy/http/local_reply.h"

#include <charconv>
#include <string>

#include "proxy/http/grpc_semantics.h"

namespace convoy::http {

namespace {

// A client of gRPC looks at trailers only, wherever they are: in a head without a body, here.
void makeGrpcReply(std::string_view text, Failure failure, base::Arena& arena, ResponseHead& head) {
  constexpr size_t kMostDigits = 3;
  char* const status = arena.allocate(kMostDigits);
  const auto written =
      std::to_chars(status, status + kMostDigits, grpcStatusOf(head.status, failure));
  head.status = 200;
  head.headers.add(HeaderName::ContentType, "application/grpc");
  head.headers.add("grpc-status", {status, static_cast<size_t>(written.ptr - status)});
  while (text.ends_with('\n')) text.remove_suffix(1);
  if (!text.empty()) head.headers.add("grpc-message", grpcMessage(text, arena));
  head.body = {};
}

// A time that ran out is named with where it was set.
std::string_view textOf(const LocalReply& reply, const FailureInfo& why,
                        std::string_view timer_origin, base::Arena& arena) {
  if (!reply.body.empty()) return reply.body;
  if (timer_origin.empty()) return why.text;
  std::string text(why.text.substr(0, why.text.size() - 1));
  text += " Set by ";
  text += timer_origin;
  text += ".\n";
  return arena.copy(text);
}

// A path that begins with two slashes would name a host (RFC 3986 4.2), which the client chose;
// browsers take a backslash for a slash. With a dot before them it means the same path.
std::string_view locationOf(std::string_view location, base::Arena& arena) {
  const bool names_host = location.starts_with("//") || location.starts_with("/\\");
  if (!names_host) return arena.copy(location);
  std::string text("/.");
  text += location;
  return arena.copy(text);
}

}  // namespace

std::string_view buildLocalReply(const LocalReply& reply, const RequestHead& request,
                                 std::string_view timer_origin, base::Arena& arena,
                                 ResponseHead& head) {
  const FailureInfo& why = info(reply.failure);
  head.clear();
  head.protocol = request.protocol;
  head.status = reply.status != 0 ? reply.status : why.status;
  CONVOY_ASSERT(head.status >= 200 && head.status < 600);
  if (!reply.location.empty()) {
    head.headers.add("location", locationOf(reply.location, arena));
  }
  const std::string_view text = textOf(reply, why, timer_origin, arena);
  // To what asks for a tunnel, its 200 would look like an open one.
  if (reply.location.empty() && isGrpc(request) && !asksForTunnel(request)) {
    makeGrpcReply(reply.empty_body ? std::string_view() : text, reply.failure, arena, head);
    return {};
  }
  std::string_view body;
  if (!reply.empty_body) body = arena.copy(text);
  if (!body.empty()) head.headers.add(HeaderName::ContentType, "text/plain");
  const bool allows_body = head.status != 204 && head.status != 304;
  if (!allows_body) body = {};
  head.body = {allows_body ? BodyLength::Kind::Known : BodyLength::Kind::None, body.size()};
  return body;
}

}  // namespace convoy::http
