#pragma once

// The way to check one host, again and again: one check at a time, on a connection of its own that
// is kept between checks where that is allowed. The seam between the time-table (host_check.h) and
// what a check does. Owner: HostCheck; thread: its loop's.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/event/loop.h"
#include "proxy/http/h2_metrics.h"
#include "proxy/net/address.h"
#include "proxy/net/transport.h"
#include "proxy/upstream/health/check_state.h"
#include "proxy/upstream/health/spec.h"
#include "proxy/upstream/spec.h"
#include "proxy/upstream/upstream_io.h"

namespace convoy::upstream {

class CommandRunner;

// What the probes of one thread share; outlives them.
struct ProbeServices {
  event::Loop& loop;
  UpstreamIo& io;
  CommandRunner& commands;
  size_t transport_slot;  // of net::TransportFactory::create()
  http::H2Metrics h2 = {};
};

struct ProbeTarget {
  net::Address address;  // where to connect
  net::Address host;     // whom it is about: another if the check has its own port
  std::string hostname;  // instead of the check's host; empty: none
  uint64_t life = 0;     // a host that comes back at an address has another
  friend bool operator==(const ProbeTarget&, const ProbeTarget&) = default;
};

// Whose check it is. Immutable.
struct ProbeOwner {
  std::shared_ptr<const ClusterSpec> cluster;              // has a health_check
  std::shared_ptr<net::TransportFactory> transports = {};  // null: plain text
  const HealthCheckSpec& check() const { return *cluster->health_check; }
};

class Probe {
 public:
  // Once per start(), the last thing that the probe does before it returns to its loop; never from
  // inside start().
  using Done = std::function<void(ProbeResult)>;

  virtual ~Probe() = default;
  // REQUIRES: no check is under way. Destroying the probe (at the end of a turn) breaks one off.
  virtual void start() = 0;
  // What a check that is broken off was waiting for: "no connection", "no response".
  virtual std::string_view missing() const = 0;
};

std::unique_ptr<Probe> makeProbe(ProbeServices& services, const ProbeOwner& owner,
                                 const ProbeTarget& target, Probe::Done done);

}  // namespace convoy::upstream
