#include "proxy/filter/registry.h"

#include <string>

#include "proxy/filter/router/spec.h"
#include "test/proxy/upstream/fixture.h"

namespace convoy::filter {
namespace {

class RegistryTest : public test::UpstreamTest {};

TEST_F(RegistryTest, MakesTheFiltersThatTheBinaryHas) {
  Registry registry;
  EXPECT_FALSE(registry.knows(router::kKind));
  registerBuiltins(registry);
  EXPECT_TRUE(registry.knows(router::kKind));
  EXPECT_FALSE(registry.knows("envoy.filters.http.unheard_of"));

  const WorkerServices services{loop_.loop(), manager_->worker(0), 0};
  auto spec = std::make_shared<router::RouterSpec>();
  spec->kind = router::kKind;
  const auto factory = registry.make(spec, services);
  ASSERT_NE(factory, nullptr);
  base::Arena arena;
  EXPECT_NE(factory->create(arena), factory->create(arena)) << "one filter a request";
}

TEST_F(RegistryTest, GivesAMakerItsConfiguration) {
  Registry registry;
  std::shared_ptr<const http::HttpFilterSpec> given;
  registry.add("test.kind", [&](const auto& spec, const WorkerServices&) {
    given = spec;
    return nullptr;
  });
  const WorkerServices services{loop_.loop(), manager_->worker(0), 0};
  auto spec = std::make_shared<http::HttpFilterSpec>();
  spec->kind = "test.kind";
  EXPECT_EQ(registry.make(spec, services), nullptr);
  EXPECT_EQ(given, spec);
}

}  // namespace
}  // namespace convoy::filter
