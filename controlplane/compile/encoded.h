#pragma once

// An xDS resource serialised once, for every node and both protocols.
//
// Protobuf fields concatenate, so a response is put together from slices: what is particular to a
// node (nonce, type) and, for each resource, a whole encoded `resources` field. A delta response's
// field holds a Resource {version, name, resource}; `resource` is field 2 of Resource as
// `resources` is field 2 of DiscoveryResponse, so the tail of the same bytes serves
// state-of-the-world.
//
// Immutable; slices share their memory by reference count, so a node's copy costs no bytes.

#include <memory>
#include <string>
#include <vector>

#include <grpcpp/support/slice.h>
#include "absl/strings/string_view.h"
#include "controlplane/compile/types.h"
#include "google/protobuf/message.h"

namespace convoy::controlplane::compile {

struct Encoded {
  std::string name;
  std::string version;               // hash of the resource's bytes
  grpc::Slice delta;                 // field `resources` of DeltaDiscoveryResponse
  grpc::Slice whole_state;           // field `resources` of DiscoveryResponse; the tail of `delta`
  std::vector<std::string> secrets;  // names of those that it uses
};

using EncodedPtr = std::shared_ptr<const Encoded>;

EncodedPtr encode(Type type, absl::string_view name, const google::protobuf::Message& resource,
                  std::vector<std::string> secrets = {});

// A resource of which only name and version are known, because a client said that it has it.
EncodedPtr encodedElsewhere(absl::string_view name, absl::string_view version);

}  // namespace convoy::controlplane::compile
