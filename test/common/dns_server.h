#pragma once

// A DNS server on a free port of 127.0.0.1, over UDP and TCP, on a thread of its own: answers from
// a table, and misbehaves as the table says. Thread-safe.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "proxy/net/address.h"
#include "test/common/raw_socket.h"

namespace convoy::test {

struct DnsReply {
  std::vector<std::string> v4 = {};
  std::vector<std::string> v6 = {};
  uint32_t ttl = 60;
  std::string cname = {};  // the addresses are this name's
  uint32_t cname_ttl = 60;
  int rcode = 0;  // 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED
  bool silent = false;
  int lost = 0;                 // so many questions get no answer first
  bool truncated = false;       // over UDP nothing but the sign to come by TCP
  bool other_id = false;        // answers a question that was not asked
  bool other_question = false;  // likewise
  std::string garbage = {};     // these bytes behind the header
};

class DnsServer {
 public:
  DnsServer();
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  const net::Address& address() const { return address_; }
  // Names without one are NXDOMAIN.
  void set(const std::string& name, DnsReply reply);
  // Questions about this name, of both families.
  int questions(const std::string& name) const;
  // Waits until there were so many. False: there were not.
  [[nodiscard]] bool untilAsked(const std::string& name, int times);
  int overTcp() const { return over_tcp_; }
  // YAML of a cluster's typed_dns_resolver_config that asks this server alone.
  std::string asResolver() const;

 private:
  void serve();
  void serveUdp();
  void serveTcp();
  std::string answer(std::string_view query, bool tcp);

  RawSocket tcp_;
  net::Address address_;
  RawSocket udp_;
  mutable std::mutex mutex_;
  std::map<std::string, DnsReply> replies_;  // guarded by mutex_
  std::map<std::string, int> questions_;     // guarded by mutex_
  std::condition_variable asked_;
  std::atomic<int> over_tcp_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace convoy::test
