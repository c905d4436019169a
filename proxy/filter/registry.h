#pragma once

// The HTTP filters that this binary has: extension name -> how a worker makes its factory. Filled
// by registerBuiltins() from main(), not by static objects. Immutable afterwards, shared by all
// workers.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "proxy/filter/worker_services.h"
#include "proxy/http/filter.h"
#include "proxy/http/spec.h"

namespace convoy::filter {

class Registry {
 public:
  using Maker = std::function<std::unique_ptr<http::FilterFactory>(
      const std::shared_ptr<const http::HttpFilterSpec>& spec, const WorkerServices& services)>;

  void add(std::string kind, Maker maker) { makers_.emplace(std::move(kind), std::move(maker)); }
  bool knows(const std::string& kind) const { return makers_.contains(kind); }
  // REQUIRES: knows(spec->kind); config/ has refused other kinds.
  std::unique_ptr<http::FilterFactory> make(const std::shared_ptr<const http::HttpFilterSpec>& spec,
                                            const WorkerServices& services) const {
    return makers_.at(spec->kind)(spec, services);
  }

 private:
  std::map<std::string, Maker> makers_;
};

void registerBuiltins(Registry& registry);

}  // namespace convoy::filter
