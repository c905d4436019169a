#pragma once

// Names in certificates against names that are asked for. Pure functions; no TLS library.

#include <string_view>

#include "proxy/tls/spec.h"

namespace convoy::tls {

// Does a DNS name of a certificate ("*.example.com" stands for one label, RFC 6125 6.4.3) cover
// this host? Without case.
bool certificateNameCovers(std::string_view certificate_name, std::string_view host);

// Does this subject alternative name, of the type that the match asks for, fulfil it?
bool sanMatches(const SanMatch& match, std::string_view name);

}  // namespace convoy::tls
