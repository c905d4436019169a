#pragma once

// The seam between look-ups and who answers them: one query for the addresses of one name in one
// family. Main's thread only. The implementation is cares_resolver.h.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/net/address.h"
#include "proxy/upstream/dns/spec.h"

namespace convoy::upstream {

struct DnsAnswer {
  enum class Kind : uint8_t {
    Addresses,
    NoData,    // the name exists and has no address of this family
    NotFound,  // NXDOMAIN
    Timeout,
    Failed,  // SERVFAIL, REFUSED, nobody there, answers without sense
  };
  Kind kind = Kind::Failed;
  // In the order of the answer; ports are 0. Whatever a server says: not checked.
  std::vector<net::Address> addresses = {};
  std::chrono::seconds ttl{0};   // the least of all records; 0: none, or not from DNS
  std::string_view reason = {};  // unless Addresses, for people: a literal
};

// Destroying it cancels the query.
class DnsQuery {
 public:
  virtual ~DnsQuery() = default;
};

class DnsResolver {
 public:
  // `done` is called once, never from inside this call, and may destroy the query; not after the
  // query was destroyed. family: Ipv4 or Ipv6.
  virtual std::unique_ptr<DnsQuery> query(const DnsResolverSpec& spec, const std::string& host,
                                          net::Address::Family family,
                                          std::function<void(DnsAnswer)> done) = 0;

 protected:
  ~DnsResolver() = default;
};

}  // namespace convoy::upstream
