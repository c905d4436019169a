#pragma once

// GET /config_dump: the configuration of the process, as envoy.admin.v3.ConfigDump in JSON.
//
//   (nothing)          bootstrap, clusters, listeners, routes, secrets (without their contents)
//   ?include_eds       ... and endpoints
//   ?resource=FIELD    only the entries of one list, such as dynamic_active_clusters, or bootstrap
//   ?name_regex=RE2    only resources whose whole name matches
//
// Dynamic resources are shown as they came (see xds/resource_archive.h for why the bytes are kept),
// with version_info, last_updated, and error_state while a newer version is refused. Static ones
// come from the bootstrap. Secrets are taken out (redaction.h). Thread: main's, for about a fifth
// of a millisecond per resource.

#include <optional>
#include <string>
#include <string_view>

#include "envoy/admin/v3/config_dump.pb.h"
#include "proxy/admin/admin_server.h"
#include "proxy/event/clock.h"
#include "proxy/xds/resource_archive.h"

namespace convoy::admin {

struct ConfigSource {
  std::string_view bootstrap;  // encoded envoy.config.bootstrap.v3.Bootstrap
  event::WallTime started{};
  const xds::ResourceArchive* dynamic = nullptr;  // null: there is no control plane
};

// Error 400 says which parameter is wrong, and what may be written.
Response configDump(const ConfigSource& source, const Request& request);

}  // namespace convoy::admin
