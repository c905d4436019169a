#include "proxy/admin/admin_server.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "proxy/admin/admin_connection.h"
#include "proxy/admin/machine_names.h"
#include "proxy/base/strings.h"

namespace convoy::admin {

namespace {

int hexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = base::asciiLower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// What is not a percent-encoded byte stays as it is.
std::string percentDecode(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hexDigit(text[i + 1]);
      const int low = hexDigit(text[i + 2]);
      if (high >= 0 && low >= 0) {
        decoded += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    decoded += text[i];
  }
  return decoded;
}

}  // namespace

std::optional<std::string> Request::parameter(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const size_t ampersand = rest.find('&');
    const std::string_view pair = rest.substr(0, ampersand);
    rest = ampersand == std::string_view::npos ? std::string_view() : rest.substr(ampersand + 1);
    const size_t equals = pair.find('=');
    if (pair.substr(0, equals) != name) continue;
    return equals == std::string_view::npos ? "" : percentDecode(pair.substr(equals + 1));
  }
  return std::nullopt;
}

AdminServer::AdminServer(event::Loop& loop) : loop_(loop), machine_(machineNames()) {}

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
  if (request.path == "/" || request.path == "/help") return {200, kPlainText, index()};
  const auto found = pages_.find(request.path);
  if (found == pages_.end()) {
    return {404, kPlainText,
            absl::StrCat("no admin page ", base::toAbsl(request.path), "\n", index())};
  }
  const Page& page = found->second;
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (page.changes && request.method != "POST") {
    return {405, kPlainText, absl::StrCat(page.path, " changes something: use POST\n"), "POST"};
  }
  if (!page.changes && !reads) {
    return {405, kPlainText, absl::StrCat(page.path, " is read only: use GET\n"), "GET, HEAD"};
  }
  // No browser reaches a unix socket, where any Host will do.
  if (page.changes && (address() == nullptr || address()->isIp())) {
    if (std::string problem = problemWith(request.caller, machine_); !problem.empty()) {
      return {403, kPlainText, std::move(problem)};
    }
  }
  return page.answer(request);
}

std::string AdminServer::index() const {
  std::string text = "convoy-proxy admin pages:\n";
  for (const auto& [path, page] : pages_) {
    absl::StrAppend(&text, "  ", path, page.changes ? " (POST)" : "", ": ", page.help, "\n");
  }
  return text;
}

}  // namespace convoy::admin
