#pragma once

// docs/reference/api.md: every service, message, field and enum of api/convoy, with the comments of
// the .proto files. A pure function of a FileDescriptorSet that has its source info.

#include <string>

#include "google/protobuf/descriptor.pb.h"

namespace convoy::tools::reference {

std::string apiPage(const google::protobuf::FileDescriptorSet& files);

}  // namespace convoy::tools::reference
