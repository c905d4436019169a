#pragma once

// The four forms of a request target (RFC 9112 3.2): origin-form, absolute-form, authority-form
// and asterisk-form.

#include <string>

#include "proxy/http/h1_error.h"
#include "proxy/http/message.h"

namespace convoy::http {

// Reduces `head.target` to path and query, "*", or the authority (CONNECT), and sets authority and
// scheme where the target names them: its authority replaces what Host says (RFC 9112 3.2.2). The
// result may be a view into `composed`: "http://a?b" means "/?b", which is nowhere in the bytes.
// REQUIRES: the target is not empty and has been checked byte by byte.
H1Error resolveTarget(RequestHead& head, std::string& composed);

}  // namespace convoy::http
