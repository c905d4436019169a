#pragma once

// Rules on a Certificate. Nothing that is refused is quoted: it may be a private key.

#include "api/convoy/v1/certificate.pb.h"
#include "controlplane/validate/problems.h"
#include "proxy/event/clock.h"

namespace convoy::controlplane::validate {

// Everything but time. Brings it into the form that is stored: PEM without anything else, `info`
// filled in.
void checkCertificate(v1::Certificate* certificate, const Place& place);

// Whether it holds now: for what is new or changed. After checkCertificate.
void checkCertificateTimes(const v1::Certificate& certificate, event::WallTime now,
                           const Place& place);

}  // namespace convoy::controlplane::validate
