#include "proxy/config/origins.h"

#include <algorithm>
#include <string>

#include "proxy/config/yaml_loader.h"

namespace convoy::config {

base::TimerOrigins originsAt(const Context& context, const base::FieldReport& report) {
  if (context.sources == nullptr) {
    return base::TimerOrigins(context.resource + ':' + report.path());
  }
  // Replies show it to strangers: its name, and not in which folder.
  const std::string& file = context.sources->file();
  return base::TimerOrigins(file.substr(file.rfind('/') + 1));
}

void noteOrigin(base::Timer timer, const Context& context, const base::FieldReport& report,
                base::TimerOrigins* origins) {
  if (context.sources == nullptr) return origins->setInResource(timer);
  const std::string path = report.path() + '.' + std::string(base::fieldOf(timer));
  origins->setInFile(timer, static_cast<uint32_t>(context.sources->find(path).line));
}

void noteSource(base::Timer timer, const ext::RoutePolicy::Origin& source,
                base::TimerOrigins* origins) {
  const auto& times = source.times();
  const bool is_set = std::any_of(times.begin(), times.end(), [timer](const std::string& name) {
    return name == base::sourceFieldOf(timer);
  });
  if (is_set) origins->setInSource(timer);
}

}  // namespace convoy::config
