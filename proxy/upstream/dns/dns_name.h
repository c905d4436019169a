#pragma once

// One name of one cluster: looks it up again and again, and keeps the last good answer.
//
//   found      the addresses are replaced, and looked up again when their TTL (between two bounds)
//              or the refresh rate has passed
//   failed     SERVFAIL, a time-out, nobody there: nothing is changed; of two families, the one
//   that
//              was answered is taken, and the other one keeps what it had
//   gone       the name does not exist or has no address: nothing is changed before `confirmations`
//              such answers in a row (failures in between do not count); then it has no addresses
//
// Times are jittered: up to 10 % are added to a refresh, and after failures the time is at random
// from the upper half of one that doubles. What an answer holds is checked here: addresses that are
// no host's, and those beyond the limit, are left out and counted.
//
// Owner: a DnsCluster; thread: main's.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxy/event/loop.h"
#include "proxy/upstream/dns/dns_metrics.h"
#include "proxy/upstream/dns/lookup.h"

namespace convoy::upstream {

// What all names of a node share.
struct DnsEnvironment {
  event::Loop& loop;
  DnsResolver& resolver;
  DnsResolverSpec system = {};  // for clusters that name no resolver
};

class DnsName {
 public:
  // Called after each look-up; it may not destroy the name. changed: the addresses are others.
  using OnLookedUp = std::function<void(bool changed)>;

  // The metrics outlive it.
  DnsName(const DnsEnvironment& environment, DnsMetrics& metrics, std::string cluster,
          std::string host, std::shared_ptr<const DnsSpec> spec, OnLookedUp on_looked_up);
  DnsName(const DnsName&) = delete;
  DnsName& operator=(const DnsName&) = delete;

  // Once. `before` is the same name of the cluster's former spec, or null: its addresses stay in
  // use, and if it was looked up in the same way, its answer holds until it is due.
  void start(const DnsName* before);

  const std::string& host() const { return host_; }
  // IPv4 before IPv6, each in ascending order, so that the order of answers, which servers rotate,
  // is no change; LOGICAL_DNS: the one in use, for as long as it is among the answers.
  std::vector<net::Address> addresses() const;
  // A look-up has come to an end.
  bool settled() const { return settled_; }
  // Of the last good answer; of none, of the beginning.
  event::MonotonicTime goodAt() const { return good_at_; }
  // Why the last look-up found nothing; empty: it did.
  std::string_view problem() const { return problem_; }

 private:
  enum class Outcome : uint8_t { Found, Failed, Gone };
  // Usable addresses of the last good answer, in ascending order.
  using Known = std::vector<net::Address>;

  const DnsResolverSpec& resolverSpec() const;
  void lookUp();
  void onAnswers(DnsAnswers answers);
  void clean(DnsAnswer& answer);
  void count(const DnsAnswer& answer);
  Outcome judge(const DnsAnswers& answers) const;
  bool takeFound(DnsAnswers& answers);
  bool takeGone();
  void chooseOne();
  void note(Outcome outcome, const DnsAnswers& answers);
  event::Duration delayAfter(Outcome outcome, std::chrono::seconds ttl);
  void arm(event::Duration delay);

  const DnsEnvironment& environment_;
  DnsMetrics& metrics_;
  const std::string cluster_;
  const std::string host_;
  const std::shared_ptr<const DnsSpec> spec_;
  const OnLookedUp on_looked_up_;
  Known v4_;
  Known v6_;
  net::Address first_;   // of the last good answer, as the server ordered it
  net::Address chosen_;  // LOGICAL_DNS
  bool settled_ = false;
  event::MonotonicTime good_at_;
  event::MonotonicTime due_at_{};  // of the next look-up
  uint32_t failures_ = 0;          // in a row, gone ones included
  uint32_t gone_ = 0;              // in a row, failures not counted
  std::string_view problem_;
  std::unique_ptr<DnsLookup> lookup_;
  event::Timer timer_;
};

}  // namespace convoy::upstream
