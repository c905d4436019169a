#pragma once

// The state of one resource type on a delta ADS stream: which names are wanted, which versions are
// held, and what must be said to the control plane. A pure class: messages in, messages out; no
// stream, no clock, no idea of what the resources mean. Implements the incremental variant of the
// xDS protocol (DeltaDiscoveryRequest, DeltaDiscoveryResponse), the client's side.
//
// For each response: onResponse() checks the envelope and says what is to be applied; the caller
// applies it and calls finish() with what was refused; nextRequest() then has the answer. Versions
// are recorded only for what was accepted, so after a reconnect the control plane sends again what
// was refused.

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/convoy/ext/resource_error.pb.h"
#include "envoy/service/discovery/v3/discovery.pb.h"

namespace convoy::xds {

using DeltaRequest = envoy::service::discovery::v3::DeltaDiscoveryRequest;
using DeltaResponse = envoy::service::discovery::v3::DeltaDiscoveryResponse;

// What a response asks for, its envelope checked. Views into the response.
struct Update {
  struct Resource {
    std::string_view name;
    std::string_view version;
    const google::protobuf::Any* value;
  };
  std::vector<Resource> changed;
  std::vector<std::string_view> removed;  // held before, or subscribed to by name
};

// The answer to a response. An empty list of errors makes it an ACK, else a NACK whose error_detail
// carries each error, as far as 1 MiB reaches, and a message of at most 4 KiB.
void setAnswer(const std::string& nonce, const std::vector<ext::ResourceError>& errors,
               DeltaRequest* request);

class Subscription {
 public:
  enum class Interest : uint8_t {
    All,    // whatever the control plane has for this node (wildcard)
    Named,  // only the names given to subscribe()
  };

  struct Held {
    std::string version;     // of what was accepted last
    bool accepted = false;   // false: every version was refused so far
    std::string last_error;  // of a newer version that was refused; empty if none
  };

  Subscription(std::string type_url, Interest interest);

  const std::string& typeUrl() const { return type_url_; }

  // REQUIRES: Interest::Named. Unsubscribing forgets the resource; nothing is to be applied.
  void subscribe(std::string_view name);
  void unsubscribe(std::string_view name);

  // A new stream: nothing was said on it yet, and answers that are due belong to the old one.
  void onStreamStarted();

  Update onResponse(const DeltaResponse& response);
  // The sink's and the decoder's errors for resources of the update that onResponse() returned.
  // Returns all errors, those about the envelope first. The response must still exist. It is
  // answered if anything was asked about the type on this stream.
  std::vector<ext::ResourceError> finish(std::vector<ext::ResourceError> errors);

  // How many answers nextRequest() has yet to give.
  size_t answersDue() const { return answers_.size(); }
  // The next message that must be sent on the present stream, if any; what it says counts as said.
  std::optional<DeltaRequest> nextRequest();

  const std::map<std::string, Held, std::less<>>& held() const { return held_; }
  size_t acceptedCount() const;

 private:
  struct Answer {
    std::string nonce;
    std::vector<ext::ResourceError> errors;
  };

  void checkResource(const envoy::service::discovery::v3::Resource& resource, Update* update);
  void refuse(std::string_view name, std::string_view field_path, std::string_view rule,
              std::string_view value, std::string reason);
  void addFirstWords(DeltaRequest* request) const;

  const std::string type_url_;
  const Interest interest_;
  std::map<std::string, Held, std::less<>> held_;

  // Named only.
  std::set<std::string, std::less<>> wanted_;
  std::set<std::string, std::less<>> told_;  // subscribed to on this stream
  std::set<std::string, std::less<>> to_subscribe_;
  std::set<std::string, std::less<>> to_unsubscribe_;

  // Of the present stream.
  bool spoken_ = false;  // its first message of this type was sent
  std::deque<Answer> answers_;

  // Between onResponse() and finish().
  const DeltaResponse* response_ = nullptr;
  std::set<std::string, std::less<>> refused_;
  std::vector<ext::ResourceError> envelope_errors_;
};

}  // namespace convoy::xds
