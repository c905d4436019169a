#pragma once

// Queries by c-ares, on main's loop: no thread, and nothing that blocks but the reading of
// /etc/hosts, /etc/resolv.conf and /etc/nsswitch.conf, which are read anew for each query, so that
// their changes count at once. Names of /etc/hosts are answered without DNS. "localhost" and the
// names below it are the loopback addresses, whatever these files say (RFC 6761 6.3): c-ares is not
// asked.
//
// Each query is a c-ares channel of its own: sockets, and so source ports, are its own; what one
// server does to one query touches no other. At most `most` run at a time, others wait in line.
// c-ares sends a query again after `timeout`, which doubles when all servers had their turn, and
// takes the question to TCP if the answer is truncated. It reads the system's clock for these
// repetitions; how long a query may take in all is counted on the loop's.
//
// Answers are hostile bytes: c-ares parses them, and takes those only that come from the server
// asked, with the query's id and question. Owner: the server; thread: main's.

#include <chrono>
#include <memory>
#include <string>

#include "proxy/base/intrusive_list.h"
#include "proxy/event/loop.h"
#include "proxy/observe/metrics.h"
#include "proxy/upstream/dns/resolver.h"

namespace convoy::upstream {

// Envoy's names (prefix "dns.cares"); written by main.
struct CaresMetrics {
  observe::Counter resolve_total;
  observe::Gauge pending_resolutions;
  observe::Counter not_found;
  observe::Counter timeout;
  observe::Counter get_addr_failure;
  observe::Counter queued;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor&& visitor) {
    visitor("resolve_total", self.resolve_total, "DNS queries for the addresses of a name");
    visitor("pending_resolutions", self.pending_resolutions, "DNS queries under way or in line");
    visitor("not_found", self.not_found, "DNS queries answered with NXDOMAIN or no address");
    visitor("timeout", self.timeout, "DNS queries that were not answered in time");
    visitor("get_addr_failure", self.get_addr_failure, "DNS queries that failed in another way");
    visitor("queued", self.queued,
            "DNS queries that had to wait because too many were under way (Convoy's own)");
  }
};

class CaresResolver final : public DnsResolver {
 public:
  struct Options {
    std::chrono::milliseconds timeout{1000};  // until a query is sent again
    int tries = 3;                            // to each server
    event::Duration longest = std::chrono::seconds(8);
    size_t most = 64;
    std::string resolv_conf = {};  // another one, for tests
  };

  CaresResolver(event::Loop& loop, observe::MetricRegistry& registry, Options options);
  // REQUIRES: no query is left.
  ~CaresResolver();
  CaresResolver(const CaresResolver&) = delete;
  CaresResolver& operator=(const CaresResolver&) = delete;

  std::unique_ptr<DnsQuery> query(const DnsResolverSpec& spec, const std::string& host,
                                  net::Address::Family family,
                                  std::function<void(DnsAnswer)> done) override;

 private:
  class Query;

  void begin(Query& query);
  void end(bool was_running);
  CaresMetrics& metrics() { return metrics_.slot(0); }

  event::Loop& loop_;
  const Options options_;
  observe::MetricGroup<CaresMetrics> metrics_;
  base::IntrusiveList<Query> waiting_;
  size_t running_ = 0;
};

}  // namespace convoy::upstream
