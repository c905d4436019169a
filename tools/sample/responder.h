// Decides what the sample backend answers, and writes the answer as bytes.
//
// Owned by the server and used on its one thread. Knows no socket: the server hands it a request
// and sends what it appends. The paths it serves are listed in kPathsHelp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/sample/request.h"

namespace convoy::tools::sample {

inline constexpr std::string_view kPathsHelp =
    "  /health          200 \"ok\"; 503 \"draining\" after SIGTERM\n"
    "  /echo            the request's head and body come back as the body\n"
    "  /delay/MS        the default response after MS milliseconds (at most 600000)\n"
    "  /status/CODE     a response with that status (200-599) and an empty body\n"
    "  /bytes/N         a body of N bytes (at most 67108864)\n"
    "  /chunked         the default body in four chunks, with a trailer\n"
    "  /close           the default response, then the connection is closed\n"
    "  /abort           the connection is reset without a response\n"
    "  /abort/N         the head and N bytes of the default response, then a reset\n"
    "  /stats           counts of connections and requests as JSON (not counted itself)\n"
    "  anything else    the default response: the backend's name, filled up to --body-bytes\n";

struct ResponderOptions {
  std::string name = "backend";
  uint64_t body_bytes = 0;           // 0: as long as the name and a newline
  uint64_t delay_ms = 0;             // before each response whose path names no other
  std::vector<std::string> headers;  // `name: value`, added to every response
};

// What the server does with the connection when a response has been written.
struct Plan {
  bool close = false;     // close once everything is sent
  bool reset = false;     // reset once everything is sent
  uint64_t delay_ms = 0;  // wait before asking for the response with `respond`
};

// Counts of the process since its start.
struct Counts {
  uint64_t connections_accepted = 0;
  uint64_t connections_closed = 0;
  uint64_t requests = 0;
};

class Responder {
 public:
  explicit Responder(ResponderOptions options);

  // The plan for a request whose head has arrived; a delay is to be kept before `respond` is
  // called.
  Plan plan(const RequestHead& head) const;

  // Appends the response to a whole request to `out`. `echo` is the head and body for /echo.
  // `close` says that the connection will be closed.
  void respond(const RequestHead& head, std::string_view echo, bool close, std::string* out);

  // Appends a response with an error status and a line of text; the connection is to be closed.
  void respondError(int status, std::string_view text, std::string* out);

  // The value of the Date header; call it once a second.
  void setDate(std::string_view date);

  void setDraining() { draining_ = true; }
  bool wantsEcho(const RequestHead& head) const;

  Counts& counts() { return counts_; }

 private:
  struct Answer {
    int status = 200;
    std::string_view type = "text/plain";
    std::string_view body = {};
    bool chunked = false;
  };

  void append(const RequestHead& head, const Answer& answer, bool close, std::string* out) const;
  void appendHead(const Answer& answer, bool close, bool http10, std::string* out) const;
  void appendChunked(std::string_view body, std::string* out) const;
  std::string statsJson() const;
  std::string bodyOf(uint64_t bytes) const;
  void buildDefault();

  const ResponderOptions options_;
  std::string body_;     // of the default response
  std::string extras_;   // header lines that every response carries
  std::string date_;     // value of the Date header
  std::string default_;  // the whole default response that keeps the connection
  bool draining_ = false;
  Counts counts_;
};

}  // namespace convoy::tools::sample
