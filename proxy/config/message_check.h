#pragma once

// Checks a whole message by reflection, before it is converted: fields that the schema does not
// know, Envoy's validate.rules, and the field table (honoured, without effect, refused). Descends
// into the typed_configs that the registry knows; what a refused field holds is not looked at.

#include "google/protobuf/message.h"
#include "proxy/base/field_report.h"
#include "proxy/config/context.h"

namespace convoy::config {

void checkMessage(const google::protobuf::Message& message, const Context& context,
                  base::FieldReport& report);

}  // namespace convoy::config
