#pragma once

// convoyctl's connection to a control plane, and what to tell people when a call fails.

#include <grpcpp/client_context.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

#include "api/convoy/v1/config_service.grpc.pb.h"
#include "api/convoy/v1/fleet_service.grpc.pb.h"
#include "api/convoy/v1/problem.pb.h"
#include "proxy/config/yaml_loader.h"
#include "tools/ctl/session.h"

namespace convoy::tools::ctl {

class Client {
 public:
  // Connects with the first call. `credentials`: how.
  Client(std::string address, const std::shared_ptr<grpc::ChannelCredentials>& credentials);

  // Resolves the address and the files of TLS by the session's flags, environment and context file.
  // On failure: null, complains and sets `code`.
  static std::unique_ptr<Client> forSession(Session& session, int* code);

  const std::string& address() const { return address_; }
  v1::ConfigService::Stub& config() { return *config_; }
  v1::FleetService::Stub& fleet() { return *fleet_; }

 private:
  const std::string address_;
  std::unique_ptr<v1::ConfigService::Stub> config_;
  std::unique_ptr<v1::FleetService::Stub> fleet_;
};

// Ends the call after the session's timeout and `more_seconds`.
void setDeadline(const Session& session, int more_seconds, grpc::ClientContext* context);

// The problems that a refusal carries; empty if it has none.
v1::ProblemList problemsOf(const grpc::Status& status);

// One line: "FILE:LINE:COLUMN: FIELD: REASON (RULE: VALUE)". `sources` may be null.
std::string problemText(const v1::Problem& problem, const config::SourceMap* sources);
void printProblems(const v1::ProblemList& problems, const config::SourceMap* sources,
                   std::ostream& out);

// Says what went wrong and returns the exit code. `sources`: where the request's Config came from,
// or null.
int fail(Session& session, const Client& client, const grpc::Status& status,
         const config::SourceMap* sources = nullptr);

}  // namespace convoy::tools::ctl
