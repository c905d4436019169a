#pragma once

// Files that a configuration names for convoyctl to read: the fields certificate_file,
// private_key_file and ocsp_response_file of certificates.

#include <string>
#include <vector>

#include "api/convoy/v1/config.pb.h"
#include "proxy/config/yaml_loader.h"

namespace convoy::tools::ctl {

// Puts their bytes in place of their names. A relative path starts at `folder`. What is wrong is
// returned, with its place; no content of a file is in it.
std::vector<config::LocatedError> readCertificateFiles(const std::string& folder,
                                                       const config::SourceMap& sources,
                                                       v1::Config* config);

}  // namespace convoy::tools::ctl
