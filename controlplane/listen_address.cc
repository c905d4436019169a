#include "controlplane/listen_address.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace convoy::controlplane {

absl::StatusOr<net::Address> listenAddress(const std::string& flag, const std::string& text,
                                           const Guard& guard) {
  constexpr absl::string_view kLocalhost = "localhost:";
  const std::string resolved = absl::StartsWith(text, kLocalhost)
                                   ? absl::StrCat("127.0.0.1:", text.substr(kLocalhost.size()))
                                   : text;
  absl::StatusOr<net::Address> address = net::Address::parse(resolved);
  if (!address.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(flag, " ", text, ": ", address.status().message()));
  }
  if (address->unixPath().starts_with('@') && !guard.insecure) {
    return absl::InvalidArgumentError(absl::StrCat(
        flag, " ", text,
        ": an abstract socket has no permissions: every user of this machine can connect; listen "
        "on a unix socket with a path (unix:/path), which is for this user only, or say --insecure "
        "if you trust them all"));
  }
  if (!address->isLoopback() && !guard.certificates && !guard.insecure) {
    return absl::InvalidArgumentError(absl::StrCat(
        flag, " ", text,
        ": other machines can reach this address, and nothing says who may; ask clients for "
        "certificates (--tls-cert, --tls-key, --tls-client-ca), listen on loopback "
        "(127.0.0.1:PORT) or a unix socket (unix:/path), or say --insecure if your network keeps "
        "strangers out"));
  }
  return address;
}

}  // namespace convoy::controlplane
