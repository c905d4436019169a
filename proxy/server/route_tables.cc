#include "proxy/server/route_tables.h"

#include <utility>

#include "proxy/route/matcher.h"

namespace convoy::server {

absl::Status RouteTables::publish(std::shared_ptr<const route::RouteTableSpec> spec,
                                  RouteTableSlot& slot) {
  auto compiled = route::RouteTable::compile(std::move(spec));
  if (compiled.ok()) slot.publish(*std::move(compiled));
  return compiled.status();
}

absl::Status RouteTables::put(std::shared_ptr<const route::RouteTableSpec> spec) {
  if (absl::Status published = publish(spec, *slot(spec->name)); !published.ok()) return published;
  tables_[spec->name].spec = std::move(spec);
  return absl::OkStatus();
}

std::shared_ptr<RouteTableSlot> RouteTables::slot(const std::string& name) {
  Table& table = tables_[name];
  if (table.slot == nullptr) table.slot = makeSlot();
  return table.slot;
}

std::shared_ptr<RouteTableSlot> RouteTables::makeSlot() {
  // A worker may hold it last, through a listener that it drains; it dies on main all the same.
  return {new RouteTableSlot(main_, workers_), [&main = main_](RouteTableSlot* slot) {
            if (main.isOwnThread()) {
              delete slot;
            } else {
              main.post([slot] { delete slot; });
            }
          }};
}

}  // namespace convoy::server
