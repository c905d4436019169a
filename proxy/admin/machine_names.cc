#include "proxy/admin/machine_names.h"

#include <unistd.h>

#include <algorithm>
#include <climits>
#include <fstream>
#include <sstream>

#include "proxy/base/strings.h"

namespace convoy::admin {

namespace {

bool contains(const std::vector<std::string>& names, std::string_view wanted) {
  return std::any_of(names.begin(), names.end(), [wanted](const std::string& name) {
    return base::equalsIgnoreCase(name, wanted);
  });
}

// "ADDRESS NAME NAME... # comment": the names.
std::vector<std::string> namesOfLine(const std::string& line) {
  std::istringstream words(line.substr(0, line.find('#')));
  std::vector<std::string> names;
  std::string word;
  words >> word;  // the address
  while (words >> word) names.push_back(word);
  return names;
}

}  // namespace

std::vector<std::string> machineNames(std::string_view host_name, std::istream& hosts) {
  if (host_name.empty()) return {};
  std::vector<std::string> own = {std::string(host_name)};
  if (const std::string_view label = host_name.substr(0, host_name.find('.')); !label.empty()) {
    own.emplace_back(label);
  }
  std::vector<std::string> all = own;
  for (std::string line; std::getline(hosts, line);) {
    const std::vector<std::string> names = namesOfLine(line);
    const bool is_ours = std::any_of(names.begin(), names.end(), [&own](const std::string& name) {
      return contains(own, name);
    });
    if (is_ours) all.insert(all.end(), names.begin(), names.end());
  }
  return all;
}

std::vector<std::string> machineNames() {
  char name[HOST_NAME_MAX + 1] = {};
  if (::gethostname(name, sizeof(name) - 1) != 0) return {};
  std::ifstream hosts("/etc/hosts");
  return machineNames(name, hosts);
}

}  // namespace convoy::admin
