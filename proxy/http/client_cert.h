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
// quotation mark, a backslash, a blank or a byte beyond ASCII in it is quoted, quotation marks and
// backslashes with a backslash before them: a name that ends in one could end the quotation
// otherwise. A name with a control character is left out: it is no URI and no host, and without the
// character, or with another in its place, it would be a name that nobody has vouched for. To a
// received value whose quotation marks do not match nothing is appended: our element goes alone.
void prepareClientCert(HeaderList& headers, const ConnectionManagerSpec& spec, base::Arena& arena,
                       const StreamInfo& info);

}  // namespace convoy::http
