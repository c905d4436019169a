#pragma once

// The admin pages of a running server, with Envoy's paths and formats. Thread: main's.

#include "proxy/admin/admin_server.h"
#include "proxy/server/server.h"

namespace convoy::server {

// Both outlive each other's use: the pages read the server at each request.
void addAdminPages(admin::AdminServer& admin, Server& server);

}  // namespace convoy::server
