#pragma once

// A delta ADS client over gRPC that holds what it is given, acknowledges it, and can be told to
// refuse. Waits are bounded.

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <grpcpp/grpcpp.h>
#include "envoy/service/discovery/v3/ads.grpc.pb.h"

namespace convoy::controlplane {

class AdsClient {
 public:
  using DeltaRequest = envoy::service::discovery::v3::DeltaDiscoveryRequest;
  using DeltaResponse = envoy::service::discovery::v3::DeltaDiscoveryResponse;

  // Subscribes to all clusters and listeners, and by name to what they need, as a proxy does.
  AdsClient(const std::string& address, const std::string& id,
            const std::map<std::string, std::string>& labels = {});
  ~AdsClient();

  // Refuses resources of this name from now on.
  void refuse(const std::string& name);

  // Subscribes to resources by name, whether anything names them or not.
  void ask(const std::string& type, const std::set<std::string>& names);

  // Waits until a resource is there (by type's last word and name: "Cluster/web"), or gone.
  bool waitFor(const std::string& resource, bool present = true);
  // Waits until the stream has ended; its status.
  grpc::Status waitForEnd();

  // Type's last word and name -> version.
  std::map<std::string, std::string> held();
  // "Cluster/web" and "-Cluster/web" in the order of arrival.
  std::vector<std::string> log();
  // Waits until the log has an entry so many times.
  bool waitForLog(const std::string& entry, int times = 1);
  // Bytes of a resource that is there.
  std::string content(const std::string& resource);
  // Bytes of all responses so far.
  size_t received();

 private:
  void run();
  void handle(const DeltaResponse& response);
  void subscribe(const std::string& type, const std::set<std::string>& names);
  void follow(const DeltaResponse& response);
  void followSecrets(const DeltaResponse& response);
  void send(const DeltaRequest& request);

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<envoy::service::discovery::v3::AggregatedDiscoveryService::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<DeltaRequest, DeltaResponse>> stream_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> held_;
  std::vector<std::string> log_;
  std::map<std::string, std::string> contents_;  // by type's last word and name
  size_t received_ = 0;
  std::map<std::string, std::set<std::string>> secrets_;  // by the resource that names them
  std::mutex writing_;
  std::set<std::string> refused_;
  std::map<std::string, std::set<std::string>> subscribed_;
  bool ended_ = false;
  grpc::Status status_;
  std::thread thread_;
};

}  // namespace convoy::controlplane
