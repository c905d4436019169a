#include "proxy/server/node_report.h"

namespace convoy::server {

ext::NodeReport nodeReport(ext::NodeReport::Lifecycle lifecycle,
                           const std::map<std::string, ListenerManager::Active>& listeners) {
  ext::NodeReport report;
  report.set_lifecycle(lifecycle);
  for (const auto& [name, listener] : listeners) {
    if (listener.spec == nullptr) continue;
    for (size_t i = 0; i < listener.addresses.size(); ++i) {
      ext::NodeReport::BoundAddress* bound = report.add_bound_addresses();
      bound->set_listener(name);
      bound->set_configured(listener.configured[i].text());
      bound->set_actual(listener.addresses[i].text());
    }
  }
  return report;
}

}  // namespace convoy::server
