#pragma once

// Rules on the TLS of listeners and pools. Whether the certificates that they name exist is
// references.h's business.

#include "api/convoy/v1/tls.pb.h"
#include "controlplane/validate/problems.h"

namespace convoy::controlplane::validate {

// `place`: the field "tls".
void checkListenerTls(const v1::ListenerTls& tls, const Place& place);
void checkPoolTls(const v1::PoolTls& tls, const Place& place);

}  // namespace convoy::controlplane::validate
