#include "controlplane/fleet/fleet_service.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "controlplane/fleet/node_watch.h"

namespace convoy::controlplane::fleet {

namespace {

constexpr int kDefaultPage = 100;
constexpr int kMostPage = 1000;

}  // namespace

grpc::Status FleetService::ListNodes(grpc::ServerContext*, const v1::ListNodesRequest* request,
                                     v1::ListNodesResponse* response) {
  if (request->page_size() < 0 || request->page_size() > kMostPage) {
    return grpc::Status(
        grpc::StatusCode::INVALID_ARGUMENT,
        absl::StrCat("page_size is ", request->page_size(), "; the range is 0 to ", kMostPage));
  }
  const size_t limit = request->page_size() == 0 ? kDefaultPage : request->page_size();
  // The token is the last id of the page before.
  std::vector<v1::Node> nodes = registry_->list(request->nodes(), request->page_token(), limit + 1);
  if (nodes.size() > limit) {
    nodes.resize(limit);
    response->set_next_page_token(nodes.back().id());
  }
  for (v1::Node& node : nodes) *response->add_nodes() = std::move(node);
  response->set_revision(head_());
  return grpc::Status::OK;
}

grpc::ServerWriteReactor<v1::WatchNodesResponse>* FleetService::WatchNodes(
    grpc::CallbackServerContext*, const v1::WatchNodesRequest* request) {
  return NodeWatch::start(NodeCursor(registry_, request->nodes(), head_), &registry_->observers(),
                          stop_);
}

}  // namespace convoy::controlplane::fleet
