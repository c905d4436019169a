#pragma once

// What every command of convoyctl is given: its streams, the flags that all commands share, and the
// exit codes. One thread.

#include <functional>
#include <istream>
#include <ostream>
#include <string>

namespace convoy::tools::ctl {

// Documented in docs/convoyctl.md; scripts compare them.
enum ExitCode : int {
  kOk = 0,
  kFailure = 1,      // something else went wrong
  kBadInput = 2,     // the command line, the file or the change was refused; nothing changed
  kConflict = 3,     // --expected-revision is not the head's revision; nothing changed
  kUnreachable = 4,  // no answer from the control plane
  kNotFound = 5,     // the named thing does not exist
  kNodesBehind = 6,  // committed, but with --wait or --check some node refused it or did not answer
};

enum class Output {
  Table,  // for people
  Json,
  Yaml,
};

// Paths of PEM files for TLS. Without `ca`: plain text.
struct TlsPaths {
  std::string ca = {};           // who signed the control plane's certificate
  std::string certificate = {};  // our own, with its chain
  std::string key = {};          // and its private key
  bool empty() const { return ca.empty() && certificate.empty() && key.empty(); }
};

struct Session {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  // Value of an environment variable; empty if unset.
  std::function<std::string(const std::string&)> env;

  // Flags.
  std::string server;   // --server
  std::string context;  // --context
  std::string contexts_file;
  TlsPaths tls = {};  // --ca, --cert, --key
  Output output = Output::Table;
  int timeout_seconds = 30;  // of each call, waiting for nodes aside
};

// Prints "convoyctl: MESSAGE" and returns the code.
inline int complain(Session& session, ExitCode code, const std::string& message) {
  session.err << "convoyctl: " << message << "\n";
  return code;
}

}  // namespace convoy::tools::ctl
