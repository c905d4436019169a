#pragma once

// The file of named control planes (~/.config/convoy/contexts.yaml):
//
//   current: production
//   contexts:
//   - name: production
//     address: 10.0.0.1:18001
//     ca: /etc/convoy/ca.pem       # TLS; the files are found from where the contexts' file is
//     cert: /etc/convoy/me.pem
//     key: /etc/convoy/me.key
//
// CONVOY_CONTEXTS names another file. Errors name the file and the line.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/ctl/session.h"

namespace convoy::tools::ctl {

struct Context {
  std::string name;
  std::string address;
  TlsPaths tls = {};
};

struct Contexts {
  std::string current;  // empty: none
  std::vector<Context> contexts;

  const Context* find(const std::string& name) const;
  // Adds the context or replaces the one of this name.
  void set(Context context);
};

// Where the file is, by the environment.
std::string contextsPath(const Session& session);

// A missing file has no contexts; a folder is an error.
absl::StatusOr<Contexts> loadContexts(const std::string& path);
// Replaces the file in one step; makes its folder. What fails leaves nothing behind.
absl::Status saveContexts(const std::string& path, const Contexts& contexts);

inline constexpr char kDefaultServer[] = "127.0.0.1:18001";

// Error: the text cannot be typed as a name, or the file could not hold it.
absl::Status checkContextName(const std::string& name);

// Error: the text cannot be an address; it says what may be written.
absl::Status checkAddress(const std::string& text, const std::string& example = kDefaultServer);

// Error: the paths do not belong together, or not to this address; it says what is missing.
absl::Status checkTls(const TlsPaths& tls, const std::string& address);

// The control plane to talk to: --server, else --context, else CONVOY_SERVER, else the current
// context, else kDefaultServer. --ca, --cert and --key go before those of a context.
absl::StatusOr<Context> chosenServer(const Session& session);

}  // namespace convoy::tools::ctl
