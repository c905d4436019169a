#pragma once

// What a request must be before routes are matched, and what is made of it first: the version, the
// host, names with underscores, the path. Settings of the connection manager, whatever the
// protocol; what HTTP/1.x itself forbids its codec has refused before.

#include <optional>

#include "proxy/base/arena.h"
#include "proxy/http/filter.h"
#include "proxy/http/manager_metrics.h"
#include "proxy/http/message.h"
#include "proxy/http/spec.h"
#include "proxy/http/stream_info.h"

namespace convoy::http {

// Changes the head as the settings say. With a reply the request is not to be served; the reply's
// texts are static or in the arena.
std::optional<LocalReply> admitRequest(RequestHead& head, const ConnectionManagerSpec& spec,
                                       const StreamInfo& info, base::Arena& arena,
                                       ManagerMetrics& metrics);

// The same for trailers: underscores.
std::optional<LocalReply> admitTrailers(HeaderList& trailers, const ConnectionManagerSpec& spec,
                                        ManagerMetrics& metrics);

}  // namespace convoy::http
