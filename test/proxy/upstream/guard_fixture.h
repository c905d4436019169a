#pragma once

// Clusters that watch their hosts: what requests come to is said by the test.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "proxy/upstream/outlier/spec.h"
#include "test/common/metric_value.h"
#include "test/proxy/upstream/fixture.h"

namespace convoy::test {

// A cluster manager and its worker; what requests come to is said by the test.
class GuardTest : public UpstreamTest {
 protected:
  static std::shared_ptr<upstream::OutlierSpec> outliers(uint32_t percent = 50) {
    auto outlier = std::make_shared<upstream::OutlierSpec>();
    outlier->max_ejection_percent = percent;
    return outlier;
  }
  static std::shared_ptr<upstream::ClusterSpec> guarded(
      std::shared_ptr<const upstream::OutlierSpec> outlier) {
    auto spec = clusterSpec();
    spec->outlier = std::move(outlier);
    return spec;
  }
  upstream::HostRef hostOf(int index) {
    for (int i = 0; i < 100; ++i) {
      upstream::PickResult picked = cluster().pick();
      if (picked.lease.host().address() == address(index)) return picked.lease.ref();
    }
    ADD_FAILURE() << index << " gets no requests";
    return {};
  }
  void fail(int index, int times = 5) {
    const upstream::HostRef host = hostOf(index);
    for (int i = 0; i < times; ++i)
      cluster().noteOutcome(host, upstream::Outcome::answered(500, {}));
    run();
  }
  // What the request of this pick comes to, which may be a probe.
  void note(const upstream::PickResult& picked, const upstream::Outcome& outcome) {
    cluster().noteOutcome(picked.lease.ref(), outcome, picked.lease.probe());
  }
  void pass(event::Duration time) {
    for (; time > event::Duration::zero(); time -= std::chrono::milliseconds(50)) {
      clock_.advance(std::chrono::milliseconds(50));
      run();
    }
  }
  // For a request of a session with the host of this address.
  upstream::PickResult pickFor(const std::string& host, bool strict = false) {
    const upstream::HostPreference preferred{host, strict};
    return cluster().pick({}, nullptr, std::nullopt, &preferred);
  }
  int64_t counter(const std::string& name) { return metricValue(registry_, "cluster", name); }
  // Last parts of the addresses that new requests may go to.
  std::string eligible() {
    std::string out;
    manager_->forEach([&](const upstream::ClusterManager::ClusterView& view) {
      for (const auto& host : view.hosts) {
        const std::string ip = host.host.address().ipText();
        if (host.eligible) out += ip.substr(ip.rfind('.') + 1) + " ";
      }
    });
    return out;
  }
  upstream::EjectionView ejection(int index) {
    upstream::EjectionView found;
    manager_->forEach([&](const upstream::ClusterManager::ClusterView& view) {
      for (const auto& host : view.hosts) {
        if (host.host.address() == address(index)) found = host.ejection;
      }
    });
    return found;
  }
};

}  // namespace convoy::test
