// Configuration as people and programs write it, from untrusted bytes: as the YAML or JSON that
// convoyctl reads, and as the message that ConfigService gets. What the control plane's own
// validators accept compiles to resources that no node refuses; what they refuse has a reason.
// The corpus are the examples of the docs (docs_seeds.py).

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "api/convoy/v1/config.pb.h"
#include "controlplane/compile/snapshot.h"
#include "controlplane/manage/planner.h"
#include "controlplane/manage/status.h"
#include "controlplane/validate/node_check.h"
#include "proxy/base/assert.h"
#include "proxy/config/yaml_loader.h"

namespace convoy::controlplane {
namespace {

constexpr event::WallTime kNow{std::chrono::hours(500'000)};

void plan(v1::Config config) {
  const auto planned = manage::planApply(model::Model(), std::move(config), /*prune=*/true, kNow);
  if (!planned.ok()) {
    CONVOY_ASSERT(!planned.status().message().empty());
    CONVOY_ASSERT(manage::problemsOf(planned.status()).problems_size() > 0);
    return;
  }
  static const validate::XdsCheck check = validate::nodeCheck();
  const auto snapshot = compile::Snapshot::compile(
      planned->model, [](const store::Key&, const google::protobuf::Message& compiled) {
        CONVOY_ASSERT(check(compiled).empty());
      });
  CONVOY_ASSERT(snapshot->viewFor({}) != nullptr);
}

}  // namespace
}  // namespace convoy::controlplane

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace convoy;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  config::LoadOptions options;
  options.read.for_people = true;
  v1::Config text;
  const config::Loaded loaded = config::loadYaml(bytes, "fuzz", &text, options);
  CONVOY_ASSERT(loaded.ok() == loaded.errors.empty());
  if (loaded.ok()) controlplane::plan(std::move(text));
  v1::Config message;
  if (message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    controlplane::plan(std::move(message));
  }
  return 0;
}
