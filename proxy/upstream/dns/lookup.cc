#include "proxy/upstream/dns/lookup.h"

#include <utility>

namespace convoy::upstream {

using Family = net::Address::Family;

DnsLookup::DnsLookup(DnsResolver& resolver, const DnsResolverSpec& spec, std::string host,
                     DnsFamilies families, Done done)
    : resolver_(resolver),
      spec_(spec),
      host_(std::move(host)),
      families_(families),
      done_(std::move(done)) {
  switch (families_) {
    case DnsFamilies::Auto:
    case DnsFamilies::V6Only:
      ask(Family::Ipv6);
      return;
    case DnsFamilies::V4Only:
    case DnsFamilies::V4Preferred:
      ask(Family::Ipv4);
      return;
    case DnsFamilies::All:
      ask(Family::Ipv4);
      ask(Family::Ipv6);
      return;
  }
}

void DnsLookup::ask(Family family) {
  std::unique_ptr<DnsQuery>& query = family == Family::Ipv4 ? v4_ : v6_;
  query = resolver_.query(spec_, host_, family, [this, family](DnsAnswer answer) {
    onAnswer(family, std::move(answer));
  });
}

void DnsLookup::onAnswer(Family family, DnsAnswer answer) {
  const bool found = answer.kind == DnsAnswer::Kind::Addresses;
  (family == Family::Ipv4 ? answers_.v4 : answers_.v6) = std::move(answer);
  (family == Family::Ipv4 ? v4_ : v6_).reset();
  if (!found && families_ == DnsFamilies::Auto && family == Family::Ipv6) return ask(Family::Ipv4);
  if (!found && families_ == DnsFamilies::V4Preferred && family == Family::Ipv4) {
    return ask(Family::Ipv6);
  }
  if (v4_ != nullptr || v6_ != nullptr) return;
  const Done done = done_;  // it may destroy this
  done(std::move(answers_));
}

}  // namespace convoy::upstream
