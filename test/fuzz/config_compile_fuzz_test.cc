// Configuration from untrusted bytes: as the text of a bootstrap file, and as each of the resources
// that a control plane sends. Whatever the bytes are, the answer is a spec or errors, never both
// and never neither.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/base/assert.h"
#include "proxy/config/bootstrap_loader.h"
#include "proxy/config/builtins.h"
#include "proxy/config/resources.h"

namespace convoy::config {
namespace {

template <typename Proto, typename Make>
void compile(std::string_view bytes, Make make) {
  Proto proto;
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return;
  Context context;
  context.registry = &builtins();
  const auto result = make(proto, context);
  CONVOY_ASSERT(result.ok() == (result.errors.error_count == 0));
  CONVOY_ASSERT(result.errors.errors.size() <= base::FieldReport::kMaxErrors);
  CONVOY_ASSERT(result.ok() || !result.errors.text().empty());
}

void loadText(std::string_view text) {
  const LoadedBootstrap loaded = loadBootstrap(text, "fuzz");
  CONVOY_ASSERT(loaded.ok() == (loaded.error_count == 0));
  CONVOY_ASSERT(loaded.ok() || !loaded.errorText().empty());
}

}  // namespace
}  // namespace convoy::config

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace convoy::config;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  loadText(bytes);
  compile<envoy::config::listener::v3::Listener>(bytes, makeListener);
  compile<envoy::config::route::v3::RouteConfiguration>(bytes, makeRouteTable);
  compile<envoy::config::cluster::v3::Cluster>(bytes, makeCluster);
  compile<envoy::config::endpoint::v3::ClusterLoadAssignment>(bytes, makeAssignment);
  return 0;
}
