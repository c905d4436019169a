#pragma once

// Requests that the server codec must understand or refuse, in tables, for whatever carries their
// bytes: the codec alone, connections in memory, sockets.

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

}  // namespace convoy::http
