#include "proxy/config/header_mutation.h"

#include <optional>
#include <utility>

#include "proxy/config/header_edits.h"

namespace convoy::config {

namespace {

namespace proto_v3 = envoy::extensions::filters::http::header_mutation::v3;
using MutationList =
    google::protobuf::RepeatedPtrField<envoy::config::common::mutation_rules::v3::HeaderMutation>;

std::vector<route::HeaderEdit> toEdits(const MutationList& proto, std::string_view field,
                                       base::FieldReport& report) {
  std::vector<route::HeaderEdit> edits;
  edits.reserve(static_cast<size_t>(proto.size()));
  for (int i = 0; i < proto.size(); ++i) {
    auto at = report.in(field, static_cast<size_t>(i));
    std::optional<route::HeaderEdit> edit;
    if (proto[i].has_append()) {
      auto in = report.in("append");
      edit = toHeaderEdit(proto[i].append(), report);
    } else {
      auto in = report.in("remove");
      edit = toRemoval(proto[i].remove(), report);
    }
    if (edit.has_value()) edits.push_back(*std::move(edit));
  }
  return edits;
}

void setEdits(const proto_v3::Mutations& proto, filter::header_mutation::Edits* edits,
              base::FieldReport& report) {
  auto at = report.in("mutations");
  edits->request = toEdits(proto.request_mutations(), "request_mutations", report);
  edits->response = toEdits(proto.response_mutations(), "response_mutations", report);
}

}  // namespace

std::shared_ptr<filter::header_mutation::HeaderMutationSpec> makeHeaderMutation(
    const proto_v3::HeaderMutation& proto, base::FieldReport& report) {
  auto spec = std::make_shared<filter::header_mutation::HeaderMutationSpec>();
  setEdits(proto.mutations(), &spec->edits, report);
  spec->most_specific_wins = proto.most_specific_header_mutations_wins();
  return spec;
}

std::shared_ptr<const filter::header_mutation::PerRouteSpec> makeHeaderMutationPerRoute(
    const proto_v3::HeaderMutationPerRoute& proto, base::FieldReport& report) {
  filter::header_mutation::Edits edits;
  setEdits(proto.mutations(), &edits, report);
  return std::make_shared<const filter::header_mutation::PerRouteSpec>(std::move(edits));
}

}  // namespace convoy::config
