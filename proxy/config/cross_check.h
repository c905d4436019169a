#pragma once

// What must hold between the parts of a static configuration.

#include "proxy/base/field_report.h"
#include "proxy/config/bootstrap.h"

namespace convoy::config {

// `spec` was made without an error, so that its indices are those of the message.
void crossCheck(const BootstrapSpec& spec, base::FieldReport& report);

}  // namespace convoy::config
