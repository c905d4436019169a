#include "controlplane/compile/addresses.h"

#include "proxy/base/assert.h"
#include "proxy/base/host_name.h"
#include "proxy/net/address.h"

namespace convoy::controlplane::compile {

envoy::config::core::v3::Address compileAddress(const std::string& text) {
  const absl::StatusOr<net::Address> parsed = net::Address::parse(text);
  envoy::config::core::v3::Address address;
  if (!parsed.ok()) {
    const auto named = base::parseNamedAddress(text);
    CONVOY_ASSERT(named.has_value());
    address.mutable_socket_address()->set_address(named->host);
    address.mutable_socket_address()->set_port_value(named->port);
  } else if (parsed->isIp()) {
    address.mutable_socket_address()->set_address(parsed->ipText());
    address.mutable_socket_address()->set_port_value(parsed->port());
  } else {
    address.mutable_pipe()->set_path(std::string(parsed->unixPath()));
  }
  return address;
}

}  // namespace convoy::controlplane::compile
