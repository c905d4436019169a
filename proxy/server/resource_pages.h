#pragma once

// The admin pages about configuration and its state: /config_dump, /clusters, /listeners, in
// Envoy's formats. Thread: main's.

#include "proxy/admin/admin_server.h"
#include "proxy/server/server.h"

namespace convoy::server {

// The server outlives the pages.
void addResourcePages(admin::AdminServer& admin, const Server& server);

}  // namespace convoy::server
