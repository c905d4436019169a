#pragma once

// The data plane's own validator (proxy/config) as an XdsCheck: what it refuses, convoy-proxy
// refuses.

#include "controlplane/validate/xds_check.h"

namespace convoy::controlplane::validate {

// Files and environment variables that a resource names are taken as given: they are the node's.
// Certificates and keys are not parsed (no TLS library is here; validate/x509 does that), and no
// error holds a byte of one.
XdsCheck nodeCheck();

}  // namespace convoy::controlplane::validate
