#pragma once

// A resolver that a test answers by hand, and the names of a cluster on simulated time.

#include <gtest/gtest.h>

#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/observe/metrics.h"
#include "proxy/upstream/dns/discovery.h"
#include "proxy/upstream/dns/resolver.h"
#include "test/common/simulated_clock.h"
#include "test/common/test_loop.h"

namespace convoy::test {

using upstream::DnsAnswer;
using Family = net::Address::Family;

// "10.0.0.1" and so on, without ports.
inline std::vector<net::Address> ips(const std::vector<std::string>& texts) {
  std::vector<net::Address> addresses;
  for (const std::string& text : texts) {
    addresses.push_back(net::Address::fromIp(text, 0).value());
  }
  return addresses;
}

inline DnsAnswer found(const std::vector<std::string>& addresses, int ttl = 0) {
  return {.kind = DnsAnswer::Kind::Addresses,
          .addresses = ips(addresses),
          .ttl = std::chrono::seconds(ttl)};
}
inline DnsAnswer notFound() {
  return {.kind = DnsAnswer::Kind::NotFound, .reason = "NXDOMAIN"};
}
inline DnsAnswer noData() {
  return {.kind = DnsAnswer::Kind::NoData, .reason = "NODATA"};
}
inline DnsAnswer servfail() {
  return {.kind = DnsAnswer::Kind::Failed, .reason = "SERVFAIL"};
}
inline DnsAnswer timedOut() {
  return {.kind = DnsAnswer::Kind::Timeout, .reason = "TIMEOUT"};
}

class FakeResolver final : public upstream::DnsResolver {
 public:
  struct Asked {
    upstream::DnsResolverSpec spec;
    std::string host;
    Family family;
    std::function<void(DnsAnswer)> done;
    int id = 0;
  };

  std::unique_ptr<upstream::DnsQuery> query(const upstream::DnsResolverSpec& spec,
                                            const std::string& host, Family family,
                                            std::function<void(DnsAnswer)> done) override {
    asked.push_back({spec, host, family, std::move(done), ++total});
    return std::make_unique<Query>(*this, total);
  }

  // What is asked now: "v4 app.example, v6 app.example".
  std::string questions() const {
    std::string text;
    for (const Asked& one : asked) {
      text += (text.empty() ? "" : ", ") + std::string(one.family == Family::Ipv4 ? "v4 " : "v6 ") +
              one.host;
    }
    return text;
  }

  // Answers the oldest question about this name and family.
  void answer(Family family, const std::string& host, DnsAnswer answer) {
    for (auto one = asked.begin(); one != asked.end(); ++one) {
      if (one->host != host || one->family != family) continue;
      const auto done = std::move(one->done);
      asked.erase(one);
      done(std::move(answer));
      return;
    }
    ADD_FAILURE() << "nobody asked for " << host;
  }
  void answerV4(const std::string& host, DnsAnswer with) {
    answer(Family::Ipv4, host, std::move(with));
  }
  void answerV6(const std::string& host, DnsAnswer with) {
    answer(Family::Ipv6, host, std::move(with));
  }

  std::list<Asked> asked;
  int total = 0;

 private:
  struct Query final : upstream::DnsQuery {
    Query(FakeResolver& owner, int id) : owner(owner), id(id) {}
    ~Query() override {
      owner.asked.remove_if([this](const Asked& one) { return one.id == id; });
    }
    FakeResolver& owner;
    const int id;
  };
};

inline upstream::DnsEndpoint namedEndpoint(const std::string& host, uint16_t port = 80,
                                           size_t locality = 0) {
  upstream::DnsEndpoint endpoint;
  endpoint.host = host;
  endpoint.port = port;
  endpoint.locality = locality;
  return endpoint;
}

// IPv4 alone, every 10 s.
inline std::shared_ptr<upstream::DnsSpec> dnsSpec(
    const std::vector<upstream::DnsEndpoint>& named = {namedEndpoint("app")}) {
  auto spec = std::make_shared<upstream::DnsSpec>();
  spec->families = upstream::DnsFamilies::V4Only;
  spec->refresh = std::chrono::seconds(10);
  spec->fixed.cluster = "web";
  spec->fixed.localities.resize(1);
  for (const auto& endpoint : named) {
    if (endpoint.locality >= spec->fixed.localities.size()) {
      spec->fixed.localities.resize(endpoint.locality + 1);
    }
    spec->named.push_back(endpoint);
  }
  return spec;
}

inline std::shared_ptr<upstream::ClusterSpec> dnsCluster(
    std::shared_ptr<const upstream::DnsSpec> dns, const std::string& name = "web") {
  auto spec = std::make_shared<upstream::ClusterSpec>();
  spec->name = name;
  spec->discovery = upstream::ClusterSpec::Discovery::Dns;
  spec->dns = std::move(dns);
  return spec;
}

// "10.0.0.1:80 [::1]:80"
inline std::string hostsOf(const upstream::AssignmentSpec& assignment) {
  std::string text;
  for (const auto& locality : assignment.localities) {
    for (const auto& endpoint : locality.endpoints) {
      text += (text.empty() ? "" : " ") + endpoint.address.text();
    }
  }
  return text;
}

class DnsTest : public ::testing::Test {
 protected:
  DnsTest() { clock_.attach(loop()); }
  ~DnsTest() override { clock_.detach(loop()); }

  event::Loop& loop() { return test_loop_.loop(); }
  void run() { test_loop_.runReady(); }

  SimulatedClock clock_;
  TestLoop test_loop_{clock_};
  observe::MetricRegistry registry_;
  FakeResolver resolver_;
};

}  // namespace convoy::test
