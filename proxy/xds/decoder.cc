#include "proxy/xds/decoder.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/base/strings.h"
#include "proxy/config/resources.h"

namespace convoy::xds {

namespace {

const std::string& nameOf(const upstream::AssignmentSpec& spec) {
  return spec.cluster;
}
template <class Spec>
const std::string& nameOf(const Spec& spec) {
  return spec.name;
}

ext::ResourceError errorAbout(const Update::Resource& resource, std::string rule, std::string value,
                              std::string reason) {
  ext::ResourceError error;
  error.set_type_url(resource.value->type_url());
  error.set_name(std::string(resource.name));
  error.set_rule(std::move(rule));
  error.set_value(std::move(value));
  error.set_reason(std::move(reason));
  return error;
}

template <class Proto, class Spec>
Decoded<Spec> decode(const Update& update, config::Context context,
                     config::Result<Spec> (*make)(const Proto&, const config::Context&)) {
  Decoded<Spec> decoded;
  for (const Update::Resource& resource : update.changed) {
    Proto proto;
    if (!resource.value->UnpackTo(&proto)) {
      decoded.errors.push_back(
          errorAbout(resource, "malformed", "", "the resource is not valid protobuf of its type"));
      continue;
    }
    context.version = std::string(resource.version);
    config::Result<Spec> result = make(proto, context);
    if (!result.ok()) {
      ext::ResourceError error = result.errors.toProto();
      // What the control plane calls it; its own name may be the error.
      error.set_name(std::string(resource.name));
      decoded.errors.push_back(std::move(error));
    } else if (nameOf(*result.spec) != resource.name) {
      decoded.errors.push_back(
          errorAbout(resource, "name_mismatch", nameOf(*result.spec),
                     absl::StrCat("the resource was sent under the name ",
                                  base::toAbsl(resource.name), " but calls itself otherwise")));
    } else {
      decoded.notes.push_back(
          {std::string(resource.name), std::move(result.notes), result.note_count});
      decoded.specs.push_back(std::move(result.spec));
    }
  }
  return decoded;
}

}  // namespace

Decoded<upstream::ClusterSpec> decodeClusters(const Update& update, config::Context context) {
  return decode(update, std::move(context), &config::makeCluster);
}

Decoded<upstream::AssignmentSpec> decodeAssignments(const Update& update, config::Context context) {
  return decode(update, std::move(context), &config::makeAssignment);
}

Decoded<tls::SecretSpec> decodeSecrets(const Update& update, config::Context context) {
  return decode(update, std::move(context), &config::makeSecret);
}

Decoded<net::ListenerSpec> decodeListeners(const Update& update, config::Context context) {
  return decode(update, std::move(context), &config::makeListener);
}

Decoded<route::RouteTableSpec> decodeRouteTables(const Update& update, config::Context context) {
  return decode(update, std::move(context), &config::makeRouteTable);
}

}  // namespace convoy::xds
