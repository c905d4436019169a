#pragma once

// The files of TLS that a command line names, looked at before gRPC is given them: it would say
// nothing, and fail every handshake. Regular files only: a FIFO could block for ever. Errors:
// InvalidArgument, "PATH: what is wrong"; never key material.

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controlplane/validate/x509.h"

namespace convoy::controlplane::validate {

// More than all the authorities that a system trusts have.
inline constexpr size_t kMostPemBytes = 16 << 20;

struct CertificateFile {
  std::string path;
  std::string pem;  // as it is in the file
  Certificates certificates;
};
absl::StatusOr<CertificateFile> readCertificates(const std::string& path);

// The text of the private key that belongs to the first of these certificates.
absl::StatusOr<std::string> readKeyOf(const CertificateFile& chain, const std::string& path);

}  // namespace convoy::controlplane::validate
