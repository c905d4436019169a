#include "proxy/upstream/retained_hosts.h"

#include <gtest/gtest.h>

#include <string>

#include "test/proxy/upstream/hosts.h"

namespace convoy::upstream {
namespace {

std::shared_ptr<const AssignmentSpec> assignment(const std::string& hosts) {
  auto spec = std::make_shared<AssignmentSpec>();
  for (const char host : hosts) {
    if (host == ' ' || spec->localities.empty()) spec->localities.emplace_back();
    if (host == ' ') continue;
    spec->localities.back().endpoints.emplace_back().address =
        test::hostAddress(static_cast<size_t>(host));
  }
  return spec;
}

std::string text(const AssignmentSpec& spec) {
  std::string out;
  for (const LocalitySpec& locality : spec.localities) {
    if (&locality != spec.localities.data()) out += ' ';
    for (const EndpointSpec& endpoint : locality.endpoints) {
      const std::string ip = endpoint.address.ipText();
      out += static_cast<char>(std::stoi(ip.substr(ip.rfind('.') + 1)));
    }
  }
  return out;
}

TEST(RetainedHostsTest, ThoseThatAreLeftOutAndStayFollow) {
  const auto now = assignment("ab");
  const auto before = assignment("axc yb");
  const auto stays = [](const EndpointSpec& endpoint) {
    return endpoint.address != test::hostAddress('y');
  };
  EXPECT_EQ(text(*withRetained(now, before.get(), stays)), "ab xc");
  // Nothing is copied when there is nobody.
  EXPECT_EQ(withRetained(now, before.get(), [](const EndpointSpec&) { return false; }), now);
  EXPECT_EQ(withRetained(now, nullptr, stays), now);
  EXPECT_EQ(withRetained(now, now.get(), stays), now);
}

}  // namespace
}  // namespace convoy::upstream
