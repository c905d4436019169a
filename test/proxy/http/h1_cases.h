#pragma once

// Requests that the server codec must understand or refuse, and responses that the client codec
// must, in tables, for whatever carries their bytes: the codec alone, connections in memory,
// sockets.

#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/h1_error.h"

namespace convoy::http {

struct AcceptedRequest {
  std::string_view what;
  std::string_view input;
  std::string_view events;  // of a ServerRecorder that answers each request at its end
};

struct RefusedRequest {
  std::string what;
  std::string input;
  H1Error error;
  bool in_body;  // the head was right
};

const std::vector<AcceptedRequest>& acceptedRequests();
const std::vector<RefusedRequest>& refusedRequests();

// What a ServerRecorder writes down of a refusal. Inside a body it is always the body that is bad.
std::string errorEvent(H1Error error, bool in_body);

struct AcceptedResponse {
  std::string_view what;
  std::string_view method;
  std::string input;
  std::string_view events;  // of a ClientRecorder, as eventsOf() says
  bool closes;              // mustClose() afterwards
};

struct RefusedResponse {
  std::string_view what;
  std::string input;  // to a GET
  H1Error error;
};

const std::vector<AcceptedResponse>& acceptedResponses();
const std::vector<RefusedResponse>& refusedResponses();

// What of these events the case is about. Who asks for a tunnel has not ended its request when it
// is refused, so that the stream's end is the caller's affair.
std::string eventsOf(const AcceptedResponse& response, const std::string& events);
// The last events of a ClientRecorder whose response is refused.
std::string refusalEvents(H1Error error);

}  // namespace convoy::http
