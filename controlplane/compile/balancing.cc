#include "controlplane/compile/balancing.h"

#include <map>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "api/convoy/ext/load_balancing.pb.h"
#include "envoy/extensions/load_balancing_policies/least_request/v3/least_request.pb.h"
#include "envoy/extensions/load_balancing_policies/ring_hash/v3/ring_hash.pb.h"
#include "envoy/extensions/load_balancing_policies/round_robin/v3/round_robin.pb.h"
#include "xds/type/v3/typed_struct.pb.h"

namespace convoy::controlplane::compile {

namespace {

using envoy::config::cluster::v3::Cluster;
namespace policies = envoy::extensions::load_balancing_policies;

constexpr uint32_t kPointsPerWeight = 150;
// What clients that do not know our ring get instead: about as many points for each of a hundred
// backends. Envoy's default, 1024, leaves backends of larger pools very unequal shares.
constexpr uint64_t kRingSize = 16'384;
constexpr uint32_t kChoices = 2;

void addPolicy(const std::string& name, const google::protobuf::Message& config, Cluster* cluster) {
  auto* policy =
      cluster->mutable_load_balancing_policy()->add_policies()->mutable_typed_extension_config();
  policy->set_name(name);
  policy->mutable_typed_config()->PackFrom(config);
}

// One of ours. As a TypedStruct: an Any of a type that a client does not have is one that it cannot
// print either, in /config_dump for instance.
void addOurs(const std::string& name, const google::protobuf::Descriptor* type, Cluster* cluster,
             const std::map<std::string, double>& settings = {}) {
  xds::type::v3::TypedStruct ours;
  ours.set_type_url(absl::StrCat("type.googleapis.com/", type->full_name()));
  ours.mutable_value();
  for (const auto& [field, value] : settings) {
    (*ours.mutable_value()->mutable_fields())[field].set_number_value(value);
  }
  addPolicy(absl::StrCat("convoy.load_balancing_policies.", name), ours, cluster);
}

// A client takes the first policy of the list that it has; one that knows no such list, lb_policy.
void setByLoad(const std::string& name, const google::protobuf::Descriptor* type,
               Cluster* cluster) {
  cluster->set_lb_policy(Cluster::LEAST_REQUEST);
  addOurs(name, type, cluster);
  // Envoy's counts requests in flight in proportion to the weights too, of two backends at random.
  addPolicy("envoy.load_balancing_policies.least_request",
            policies::least_request::v3::LeastRequest(), cluster);
  // What every client has.
  addPolicy("envoy.load_balancing_policies.round_robin", policies::round_robin::v3::RoundRobin(),
            cluster);
}

// The ring of clients that do not have the policy before it. balance: 0: no bound.
void addEnvoysRing(uint32_t balance, Cluster* cluster) {
  policies::ring_hash::v3::RingHash ring;
  ring.set_hash_function(policies::ring_hash::v3::RingHash::XX_HASH);
  ring.mutable_minimum_ring_size()->set_value(kRingSize);
  if (balance != 0) {
    ring.mutable_consistent_hashing_lb_config()->mutable_hash_balance_factor()->set_value(balance);
  }
  addPolicy("envoy.load_balancing_policies.ring_hash", ring, cluster);
}

void setIpHash(Cluster* cluster) {
  cluster->set_lb_policy(Cluster::RING_HASH);
  addOurs("ip_hash", ext::IpHash::descriptor(), cluster);
  addEnvoysRing(0, cluster);
}

void setConsistentHash(const v1::Pool& pool, Cluster* cluster) {
  cluster->set_lb_policy(Cluster::RING_HASH);
  const uint32_t balance = pool.max_load_percent();
  const uint32_t points = pool.points_per_weight();
  std::map<std::string, double> settings = {
      {"points_per_weight", points == 0 ? kPointsPerWeight : points}};
  if (balance != 0) settings["hash_balance_factor"] = balance;
  addOurs("consistent_hash", ext::ConsistentHash::descriptor(), cluster, settings);
  addEnvoysRing(balance, cluster);
}

void setMaglev(const v1::Pool& pool, Cluster* cluster) {
  cluster->set_lb_policy(Cluster::MAGLEV);
  if (pool.max_load_percent() == 0) return;
  cluster->mutable_common_lb_config()
      ->mutable_consistent_hashing_lb_config()
      ->mutable_hash_balance_factor()
      ->set_value(pool.max_load_percent());
}

}  // namespace

void compileBalancing(const v1::Pool& pool, Cluster* cluster) {
  switch (pool.algorithm()) {
    case v1::ALGORITHM_ROUND_ROBIN:
    case v1::ALGORITHM_WEIGHTED_ROUND_ROBIN:
      return cluster->set_lb_policy(Cluster::ROUND_ROBIN);
    case v1::ALGORITHM_RANDOM:
      return cluster->set_lb_policy(Cluster::RANDOM);
    case v1::ALGORITHM_POWER_OF_TWO:
      cluster->set_lb_policy(Cluster::LEAST_REQUEST);
      return cluster->mutable_least_request_lb_config()->mutable_choice_count()->set_value(
          kChoices);
    case v1::ALGORITHM_CONSISTENT_HASH:
      return setConsistentHash(pool, cluster);
    case v1::ALGORITHM_MAGLEV:
      return setMaglev(pool, cluster);
    case v1::ALGORITHM_IP_HASH:
      return setIpHash(cluster);
    case v1::ALGORITHM_LEAST_CONNECTIONS:
      return setByLoad("least_connections", ext::LeastConnections::descriptor(), cluster);
    case v1::ALGORITHM_LEAST_RESPONSE_TIME:
      return setByLoad("least_response_time", ext::LeastResponseTime::descriptor(), cluster);
    case v1::ALGORITHM_PEAK_EWMA:
      return setByLoad("peak_ewma", ext::PeakEwma::descriptor(), cluster);
    case v1::ALGORITHM_ADAPTIVE:
      return setByLoad("adaptive_score", ext::AdaptiveScore::descriptor(), cluster);
    default:
      return setByLoad("weighted_least_connections", ext::WeightedLeastConnections::descriptor(),
                       cluster);
  }
}

bool hashes(const v1::Pool& pool) {
  return pool.algorithm() == v1::ALGORITHM_IP_HASH ||
         pool.algorithm() == v1::ALGORITHM_CONSISTENT_HASH ||
         pool.algorithm() == v1::ALGORITHM_MAGLEV;
}

void compileHashPolicy(const v1::Route& route, const v1::Pool& pool,
                       envoy::config::route::v3::RouteAction* action) {
  if (!hashes(pool)) return;
  auto* policy = action->add_hash_policy();
  const v1::HashKey& key = route.has_hash_key() ? route.hash_key() : pool.hash_key();
  const bool by_address = pool.algorithm() == v1::ALGORITHM_IP_HASH;
  switch (by_address ? v1::HashKey::kSourceIp : key.key_case()) {
    case v1::HashKey::kHeader:
      policy->mutable_header()->set_header_name(absl::AsciiStrToLower(key.header()));
      return;
    case v1::HashKey::kCookie:
      policy->mutable_cookie()->set_name(key.cookie());
      if (!key.has_cookie_ttl()) return;
      *policy->mutable_cookie()->mutable_ttl() = key.cookie_ttl();
      policy->mutable_cookie()->set_path("/");
      return;
    case v1::HashKey::kQuery:
      policy->mutable_query_parameter()->set_name(key.query());
      return;
    case v1::HashKey::kPath:
      policy->mutable_header()->set_header_name(":path");
      return;
    case v1::HashKey::kSourceIp:
    case v1::HashKey::KEY_NOT_SET:
      policy->mutable_connection_properties()->set_source_ip(true);
  }
}

}  // namespace convoy::controlplane::compile
