// What our HTTP/1.x codec makes of many inputs, for a comparison with another parser: of the tables
// of requests that tests use, and of files given as arguments. A line of JSON for each; bytes are
// in base64.

#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "test/integration/smuggling_cases.h"
#include "test/proxy/http/h1_cases.h"
#include "test/proxy/http/h1_messages.h"

namespace convoy::http {
namespace {

std::string quoted(std::string_view bytes) {
  return absl::StrCat("\"", absl::Base64Escape({bytes.data(), bytes.size()}), "\"");
}

void print(std::string_view what, std::string_view input) {
  RequestCollector received;
  received.codec.dispatch(input);
  std::vector<std::string> requests;
  for (const auto& request : received.requests) {
    // Behind the head of what asks for a tunnel there is no HTTP, for Node either.
    const bool tunnel = !request->complete && asksForTunnel(request->head);
    requests.push_back(absl::StrCat(
        "{\"method\":", quoted(request->head.method), ",\"target\":", quoted(request->head.target),
        ",\"body\":", quoted(tunnel ? "" : request->body),
        ",\"complete\":", request->complete || tunnel ? "true" : "false", "}"));
  }
  std::cout << "{\"what\":" << quoted(what) << ",\"input\":" << quoted(input)
            << ",\"error\":" << quoted(received.detail) << ",\"requests\":["
            << absl::StrJoin(requests, ",") << "]}\n";
}

}  // namespace
}  // namespace convoy::http

int main(int argc, char** argv) {
  using convoy::http::print;
  for (const auto& row : convoy::http::acceptedRequests()) print(row.what, row.input);
  for (const auto& row : convoy::http::refusedRequests()) print(row.what, row.input);
  for (const auto& row : convoy::test::hostileHttp1Requests()) print(row.what, row.bytes);
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    print(argv[i], std::string(std::istreambuf_iterator<char>(file), {}));
  }
}
