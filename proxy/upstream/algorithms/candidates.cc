#include "proxy/upstream/algorithms/candidates.h"

namespace convoy::upstream::algorithms {

Host* drawUntried(const HostSet& hosts, const PickContext& context) {
  // Drawing again keeps the proportions of the hosts that are left; a bound for the case that
  // nearly all weight has been tried.
  constexpr int kDraws = 16;
  Host* host = hosts.draw(context.random).host;
  for (int i = 1; i < kDraws && context.triedAlready(host); ++i) {
    host = hosts.draw(context.random).host;
  }
  return context.triedAlready(host) ? context.firstUntried(hosts, host) : host;
}

}  // namespace convoy::upstream::algorithms
