#include "proxy/xds/resource_archive.h"

#include <utility>

namespace convoy::xds {

ResourceArchive::Type& ResourceArchive::of(std::string_view type_url) {
  const auto found = types_.find(type_url);
  return found != types_.end() ? found->second : types_[std::string(type_url)];
}

const ResourceArchive::Type* ResourceArchive::find(std::string_view type_url) const {
  const auto found = types_.find(type_url);
  return found == types_.end() ? nullptr : &found->second;
}

void ResourceArchive::setVersion(std::string_view type_url, std::string_view version) {
  of(type_url).version = version;
}

void ResourceArchive::accept(std::string_view type_url, std::string_view name, Received received,
                             bool waits) {
  Entry& entry = of(type_url).resources[std::string(name)];
  entry.refused.reset();
  (waits ? entry.warming : entry.active) = std::move(received);
  const std::pair<std::string, std::string> key(type_url, name);
  if (waits) {
    waiting_.insert(key);
  } else {
    entry.warming.reset();
    waiting_.erase(key);
  }
}

void ResourceArchive::refuse(std::string_view type_url, std::string_view name, Refusal refusal) {
  of(type_url).resources[std::string(name)].refused = std::move(refusal);
}

void ResourceArchive::erase(std::string_view type_url, std::string_view name) {
  Type& type = of(type_url);
  const auto found = type.resources.find(name);
  if (found == type.resources.end()) return;
  type.resources.erase(found);
  waiting_.erase({std::string(type_url), std::string(name)});
}

void ResourceArchive::keepWaiting(std::string_view type_url, const Names& names) {
  std::erase_if(waiting_, [&](const auto& key) {
    if (key.first != type_url || names.contains(key.second)) return false;
    Entry& entry = of(type_url).resources.at(key.second);
    entry.active = std::exchange(entry.warming, std::nullopt);
    return true;
  });
}

}  // namespace convoy::xds
