#pragma once

// One look-up of one name: the queries that its families call for, in their order. Owner: a
// DnsName; thread: main's. Destroying it cancels it.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "proxy/upstream/dns/resolver.h"

namespace convoy::upstream {

// Of the families that were asked.
struct DnsAnswers {
  std::optional<DnsAnswer> v4 = {};
  std::optional<DnsAnswer> v6 = {};
};

class DnsLookup {
 public:
  using Done = std::function<void(DnsAnswers)>;

  // `done` is called once, never from inside the constructor, and may destroy the look-up. All is
  // copied but the resolver.
  DnsLookup(DnsResolver& resolver, const DnsResolverSpec& spec, std::string host,
            DnsFamilies families, Done done);
  DnsLookup(const DnsLookup&) = delete;
  DnsLookup& operator=(const DnsLookup&) = delete;

 private:
  void ask(net::Address::Family family);
  void onAnswer(net::Address::Family family, DnsAnswer answer);

  DnsResolver& resolver_;
  const DnsResolverSpec spec_;
  const std::string host_;
  const DnsFamilies families_;
  const Done done_;
  DnsAnswers answers_;
  std::unique_ptr<DnsQuery> v4_;
  std::unique_ptr<DnsQuery> v6_;
};

}  // namespace convoy::upstream
