#pragma once

// Certificates of test/common/test_ca.h in the text form of a Config.

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "test/common/test_ca.h"

namespace convoy::controlplane {

// One to show: "ecdsa" is ecdsa.pem with ecdsa.key.
inline std::string certificateText(const std::string& name, const std::string& of) {
  return absl::StrCat("certificates { name: \"", name, "\" certificate: \"",
                      absl::CEscape(test::caFile(of + ".pem")), "\" private_key: \"",
                      absl::CEscape(test::caFile(of + ".key")), "\" } ");
}

// Authorities to trust.
inline std::string authorityText(const std::string& name, const std::string& of = "ca") {
  return absl::StrCat("certificates { name: \"", name, "\" certificate: \"",
                      absl::CEscape(test::caFile(of + ".pem")), "\" } ");
}

}  // namespace convoy::controlplane
