#include "proxy/admin/admin_server.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/admin/admin_connection.h"
#include "proxy/base/strings.h"

namespace convoy::admin {

std::optional<std::string_view> Request::parameter(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const size_t ampersand = rest.find('&');
    const std::string_view pair = rest.substr(0, ampersand);
    rest = ampersand == std::string_view::npos ? std::string_view() : rest.substr(ampersand + 1);
    const size_t equals = pair.find('=');
    if (pair.substr(0, equals) != name) continue;
    return equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
  }
  return std::nullopt;
}

AdminServer::AdminServer(event::Loop& loop) : loop_(loop) {}

AdminServer::~AdminServer() {
  acceptor_.reset();
  while (!connections_.empty()) delete &connections_.popFront();
}

void AdminServer::add(Page page) {
  std::string path = page.path;
  pages_.emplace(std::move(path), std::move(page));
}

absl::Status AdminServer::listen(const net::Address& address) {
  auto sockets = net::openListenSockets(address, 1, {}, adopted_);
  if (!sockets.ok()) {
    return absl::Status(sockets.status().code(),
                        absl::StrCat("admin: ", sockets.status().message()));
  }
  sockets_ = std::move(sockets->front());
  acceptor_ = std::make_unique<net::Acceptor>(
      loop_, sockets_.front(), accept_metrics_,
      [this](int fd, const net::Address& remote, const net::Address& local) {
        connections_.pushBack(*new AdminConnection(*this, fd, remote, local));
        ++connection_count_;
      });
  acceptor_->setAdmit([this] { return connection_count_ < kMaxConnections; });
  return absl::OkStatus();
}

const net::Address* AdminServer::address() const {
  return sockets_.empty() ? nullptr : &sockets_.front().address();
}

void AdminServer::close() {
  acceptor_.reset();
  connections_.forEach([](AdminConnection& connection) { connection.close(); });
}

Response AdminServer::answer(const Request& request) const {
  if (request.path == "/" || request.path == "/help") return index();
  const auto found = pages_.find(request.path);
  if (found == pages_.end()) {
    return {404, "text/plain; charset=UTF-8",
            absl::StrCat("no admin page ", base::toAbsl(request.path),
                         "; /help lists those there are\n")};
  }
  const Page& page = found->second;
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (page.changes ? request.method != "POST" : !reads) {
    return {405, "text/plain; charset=UTF-8",
            absl::StrCat(page.path, page.changes ? " changes something: use POST\n"
                                                 : " is read only: use GET\n")};
  }
  return page.answer(request);
}

Response AdminServer::index() const {
  Response response;
  response.body = "convoy-proxy admin pages:\n";
  for (const auto& [path, page] : pages_) {
    absl::StrAppend(&response.body, "  ", path, page.changes ? " (POST)" : "", ": ", page.help,
                    "\n");
  }
  return response;
}

}  // namespace convoy::admin
