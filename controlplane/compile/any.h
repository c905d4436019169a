#pragma once

// Any whose bytes are equal for equal messages, unlike PackFrom with maps inside.

#include "absl/strings/str_cat.h"
#include "controlplane/base/proto_bytes.h"
#include "google/protobuf/any.pb.h"
#include "google/protobuf/message.h"

namespace convoy::controlplane::compile {

inline void pack(const google::protobuf::Message& message, google::protobuf::Any* any) {
  any->set_type_url(absl::StrCat("type.googleapis.com/", message.GetDescriptor()->full_name()));
  any->set_value(deterministicBytes(message));
}

}  // namespace convoy::controlplane::compile
