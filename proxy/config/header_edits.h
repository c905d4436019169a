#pragma once

// Header edits: request_headers_to_add, ..._to_remove and their response twins, wherever Envoy has
// them, and those of the header_mutation filter. Refused by name: pseudo-headers, Host, what frames
// a message, and what belongs to one connection.

#include <optional>
#include <string>
#include <vector>

#include "envoy/config/core/v3/base.pb.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "proxy/base/field_report.h"
#include "proxy/route/spec.h"

namespace convoy::config {

// Nothing if it was refused, or would add nothing.
std::optional<route::HeaderEdit> toHeaderEdit(
    const envoy::config::core::v3::HeaderValueOption& proto, base::FieldReport& report);
std::optional<route::HeaderEdit> toRemoval(const std::string& name, base::FieldReport& report);

std::vector<route::HeaderEdit> toHeaderEdits(
    const google::protobuf::RepeatedPtrField<envoy::config::core::v3::HeaderValueOption>& proto,
    std::string_view field, base::FieldReport& report);

std::vector<std::string> toRemovedHeaders(
    const google::protobuf::RepeatedPtrField<std::string>& proto, std::string_view field,
    base::FieldReport& report);

// Of a RouteConfiguration, VirtualHost or Route.
template <typename Proto>
route::HeaderEdits toAllHeaderEdits(const Proto& proto, base::FieldReport& report) {
  route::HeaderEdits edits;
  edits.request = toHeaderEdits(proto.request_headers_to_add(), "request_headers_to_add", report);
  edits.request_remove =
      toRemovedHeaders(proto.request_headers_to_remove(), "request_headers_to_remove", report);
  edits.response =
      toHeaderEdits(proto.response_headers_to_add(), "response_headers_to_add", report);
  edits.response_remove =
      toRemovedHeaders(proto.response_headers_to_remove(), "response_headers_to_remove", report);
  return edits;
}

}  // namespace convoy::config
