#include "proxy/admin/machine_names.h"

#include <gtest/gtest.h>

#include <sstream>

#include "absl/strings/str_join.h"

namespace convoy::admin {
namespace {

std::string namesOf(std::string_view host_name, const std::string& hosts) {
  std::istringstream file(hosts);
  return absl::StrJoin(machineNames(host_name, file), " ");
}

TEST(MachineNamesTest, TheHostNameItsLabelAndWhatTheHostsFileCallsIt) {
  const std::string hosts =
      "127.0.0.1\tlocalhost\n"
      "# 10.0.0.9 node-1 comment.example\n"
      "127.0.1.1   Node-1.Example.com node-1 # node-1.comment.example\n"
      "\n"
      "10.0.0.7 other.example.com other\n"
      "10.0.0.8\n"
      "fd00::1 node-1";  // no end of line
  EXPECT_EQ(namesOf("node-1", hosts), "node-1 node-1 Node-1.Example.com node-1 node-1");
  EXPECT_EQ(namesOf("other.example.com", hosts), "other.example.com other other.example.com other");
  EXPECT_EQ(namesOf("node-2.example.com", hosts), "node-2.example.com node-2");
  EXPECT_EQ(namesOf("example.com", hosts), "example.com example");
  EXPECT_EQ(namesOf("node-1", ""), "node-1 node-1");
  EXPECT_EQ(namesOf("", hosts), "");
}

TEST(MachineNamesTest, OfThisMachine) {
  EXPECT_FALSE(machineNames().empty());
}

}  // namespace
}  // namespace convoy::admin
