#pragma once

// What clients and upstreams send that two implementations might read differently, and what must
// come out at the far end of the proxy. A table per protocol of the sender; the test runs each
// against every protocol of the other side.

#include <string>
#include <vector>

namespace convoy::test {

// What a client sends and, when the proxy has dealt with it, what the upstream has received.
struct HostileRequest {
  enum class Outcome {
    Refused,    // nothing is there; the client reads `status` (0: an error), and is cut off
    Cut,        // at most a request that breaks off: none that is complete
    Forwarded,  // exactly one request, `received`, and the one that the client sends behind it
    Last,       // as Forwarded, but the client closes with this request
  };
  std::string what;
  std::string bytes;
  Outcome outcome;
  int status = 0;
  std::string received = {};  // "POST /x a.test body"
  std::string without = {};   // a header that must not arrive
  bool ends = false;          // the client ends its direction behind these bytes
};

// HTTP/1.x bytes. The proxy accepts HTTP/1.0 and changes nothing of the path or of names.
const std::vector<HostileRequest>& hostileHttp1Requests();

// The same of a client that speaks HTTP/2: frames, whose request is that of stream 1.
struct HostileH2Request {
  enum class Outcome {
    Refused,  // nothing is there; stream 1 is answered with an error or reset; others go on
    // As Refused, but a request that breaks off may be there, or `received`, which was whole by its
    // length before the client went on with it.
    Cut,
    Ended,      // as Cut, and the connection ends, by GOAWAY
    Forwarded,  // exactly one request, `received`, and the one that the client sends behind it
  };
  std::string what;
  std::string bytes;
  Outcome outcome;
  int status = 0;             // Refused: of the answer; 0: whichever, or a reset
  std::string received = {};  // "POST /x a.test body"
  std::string without = {};   // a header that must not arrive
  std::string without_trailer = {};
  bool gives_up = false;  // Cut: the client resets the stream, or says nothing more
};

// HTTP/2 with prior knowledge; WebSocket by extended CONNECT is allowed.
const std::vector<HostileH2Request>& hostileHttp2Requests();

// What an upstream answers, and what the client reads.
struct HostileResponse {
  enum class Outcome {
    Refused,  // 502, and the client's connection goes on
    Cut,      // at most a response that breaks off, with the connection
    Passed,   // exactly one response, `received`, and the answer to the client's next request
  };
  std::string what;
  std::string bytes;
  Outcome outcome;
  std::string received = {};  // "200 body", behind 1xx responses "103 200 body"
  std::string without = {};   // a header that must not arrive
  bool closes = false;        // the upstream closes behind these bytes
  std::string method = "GET";
};

const std::vector<HostileResponse>& hostileHttp1Responses();
// Frames, those of stream 1 being the answer.
const std::vector<HostileResponse>& hostileHttp2Responses();

}  // namespace convoy::test
