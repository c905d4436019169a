#pragma once

// X-Forwarded-Client-Cert: what upstreams are told of the client's certificate, as Envoy's. Pure
// functions.

#include "proxy/base/arena.h"
#include "proxy/http/message.h"
#include "proxy/http/spec.h"
#include "proxy/http/stream_info.h"

namespace convoy::http {

// Removes, keeps, sets or appends the field, as the spec says. Only a certificate that was verified
// counts as one: what a stranger claims in his own goes nowhere. A value that has one of `,;=`, a
// quotation mark or a backslash in it is quoted, the latter two with a backslash before them: a
// name that ends in one could end the quotation otherwise.
void prepareClientCert(HeaderList& headers, const ConnectionManagerSpec& spec, base::Arena& arena,
                       const StreamInfo& info);

}  // namespace convoy::http
