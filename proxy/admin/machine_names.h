#pragma once

// How this machine is called by who does not call it by its address: its host name, the first label
// of that, and what /etc/hosts calls it beside these, such as its full name. No DNS is asked: a
// node starts without, and what DNS says is somebody else's word (caller.h).

#include <istream>
#include <string>
#include <string_view>
#include <vector>

namespace convoy::admin {

// `hosts`: the text of a hosts(5) file. Names may be there twice; none without a host name.
std::vector<std::string> machineNames(std::string_view host_name, std::istream& hosts);

// Of this machine, now.
std::vector<std::string> machineNames();

}  // namespace convoy::admin
