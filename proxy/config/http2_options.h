#pragma once

// envoy.config.core.v3.Http2ProtocolOptions to the options of a codec. Unset fields mean what
// http/h2_options.h says, which for the windows is less than Envoy's 256 MiB.

#include "envoy/config/core/v3/protocol.pb.h"
#include "proxy/base/field_report.h"
#include "proxy/http/h2_options.h"

namespace convoy::config {

http::H2Options toHttp2Options(const envoy::config::core::v3::Http2ProtocolOptions& proto,
                               base::FieldReport& report);

}  // namespace convoy::config
