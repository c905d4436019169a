#pragma once

// The route tables by name: compiled on main, read by every worker without a lock. A listener holds
// the slot, whatever table is in it; a slot without a table answers no request (404). Thread:
// main's.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "proxy/route/spec.h"
#include "proxy/server/prepared.h"

namespace convoy::server {

class RouteTables {
 public:
  RouteTables(event::Loop& main, std::vector<event::Loop*> workers)
      : main_(main), workers_(std::move(workers)) {}

  // Compiles and publishes. The error names the route and the rule; the table in force stays then.
  absl::Status put(std::shared_ptr<const route::RouteTableSpec> spec);
  static absl::Status publish(std::shared_ptr<const route::RouteTableSpec> spec,
                              RouteTableSlot& slot);
  // A slot without a name, for routes that are inline in a listener.
  std::shared_ptr<RouteTableSlot> makeSlot();
  // The slot of that name, made at need; shared with the listeners that use it.
  std::shared_ptr<RouteTableSlot> slot(const std::string& name);
  void remove(const std::string& name) { tables_.erase(name); }

  struct Table {
    std::shared_ptr<RouteTableSlot> slot;
    std::shared_ptr<const route::RouteTableSpec> spec;  // null: nothing came yet
  };
  const std::map<std::string, Table>& tables() const { return tables_; }

 private:
  event::Loop& main_;
  const std::vector<event::Loop*> workers_;
  std::map<std::string, Table> tables_;
};

}  // namespace convoy::server
