// Prints a page of docs/reference: `api` or `failures`. Run by Bazel, which puts the descriptors
// beside it.

#include <fstream>
#include <iostream>
#include <string_view>

#include "tools/reference/api_page.h"
#include "tools/reference/failures_page.h"

int main(int argc, char** argv) {
  const std::string_view page = argc == 2 ? argv[1] : "";
  if (page == "failures") {
    std::cout << convoy::tools::reference::failuresPage();
  } else if (page == "api") {
    std::ifstream file("tools/reference/api.descriptors", std::ios::binary);
    google::protobuf::FileDescriptorSet files;
    if (!files.ParseFromIstream(&file)) {
      std::cerr << "reference: cannot read tools/reference/api.descriptors; run me by `bazel run "
                   "//tools/reference api`\n";
      return 1;
    }
    std::cout << convoy::tools::reference::apiPage(files);
  } else {
    std::cerr << "usage: bazel run //tools/reference api|failures\n";
    return 2;
  }
  return std::cout.flush().good() ? 0 : 1;
}
