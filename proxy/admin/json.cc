#include "proxy/admin/json.h"

#include "google/protobuf/util/json_util.h"

namespace convoy::admin {

absl::StatusOr<std::string> toJson(const google::protobuf::Message& message, Defaults defaults) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = defaults == Defaults::Shown;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!status.ok()) return absl::InternalError(status.ToString());
  return text;
}

}  // namespace convoy::admin
