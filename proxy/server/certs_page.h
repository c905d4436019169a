#pragma once

// GET /certs: the certificates in force, as envoy.admin.v3.Certificates in JSON. Main's thread.

#include "proxy/admin/admin_server.h"
#include "proxy/server/server.h"

namespace convoy::server {

admin::Response certsPage(const Server& server, const admin::Request& request);

}  // namespace convoy::server
