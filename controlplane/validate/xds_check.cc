#include "controlplane/validate/xds_check.h"

namespace convoy::controlplane::validate {

XdsCheck acceptAll() {
  return [](const google::protobuf::Message&) { return std::vector<ext::ResourceError>(); };
}

}  // namespace convoy::controlplane::validate
