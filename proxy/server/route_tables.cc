#include "proxy/server/route_tables.h"

#include "proxy/route/matcher.h"

namespace convoy::server {

absl::Status RouteTables::put(std::shared_ptr<const route::RouteTableSpec> spec) {
  auto compiled = route::RouteTable::compile(spec);
  if (!compiled.ok()) return compiled.status();
  slot(spec->name)->publish(*std::move(compiled));
  tables_[spec->name].spec = std::move(spec);
  return absl::OkStatus();
}

std::shared_ptr<RouteTableSlot> RouteTables::slot(const std::string& name) {
  Table& table = tables_[name];
  if (table.slot != nullptr) return table.slot;
  // A worker may hold it last, through a listener that it drains; it dies on main all the same.
  table.slot.reset(new RouteTableSlot(main_, workers_), [&main = main_](RouteTableSlot* slot) {
    if (main.isOwnThread()) {
      delete slot;
    } else {
      main.post([slot] { delete slot; });
    }
  });
  return table.slot;
}

}  // namespace convoy::server
