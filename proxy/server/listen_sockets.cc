#include "proxy/server/listen_sockets.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"

namespace convoy::server {

ListenSockets::Socket::Socket(net::WorkerSockets opened, std::shared_ptr<ConnectionLimit> places)
    : descriptors(std::move(places)), per_worker(std::move(opened)) {
  for (const auto& of_worker : per_worker) count += of_worker.size();
  descriptors->setAside(count);
}

absl::Status ListenSockets::claim(const net::ListenerSpec& listener,
                                  const std::set<std::string>& leaving) {
  if (ended_) return absl::OkStatus();
  Sockets before;
  for (const auto& socket : *sockets_) {
    if (socket->users.contains(listener.name)) before.push_back(socket);
  }
  for (const net::Address& address : listener.addresses) {
    const absl::Status claimed = claimOne(listener, address, leaving);
    if (claimed.ok()) continue;
    for (const auto& socket : Sockets(*sockets_)) {
      const bool had = std::find(before.begin(), before.end(), socket) != before.end();
      if (!had) giveUp(listener.name, socket);
    }
    return claimed;
  }
  return absl::OkStatus();
}

absl::Status ListenSockets::claimOne(const net::ListenerSpec& listener, const net::Address& address,
                                     const std::set<std::string>& leaving) {
  if (find(listener.name, address) != nullptr) return absl::OkStatus();
  // Port 0 is another port for everybody.
  const bool any_port = address.isIp() && address.port() == 0;
  const auto open =
      any_port ? sockets_->end()
               : std::find_if(sockets_->begin(), sockets_->end(),
                              [&](const auto& socket) { return socket->configured == address; });
  if (open != sockets_->end()) {
    for (const std::string& user : (*open)->users) {
      if (leaving.contains(user)) continue;
      return absl::AlreadyExistsError(
          absl::StrCat("cannot listen on ", address.text(), ": the listener ", user,
                       " has this address; choose another, or remove that listener"));
    }
    (*open)->users.insert(listener.name);
    return absl::OkStatus();
  }
  auto opened = net::openListenSockets(address, workers_.size(),
                                       {.backlog = static_cast<int>(listener.tcp_backlog),
                                        .ipv4_compat = listener.ipv4_compat,
                                        .unix_mode = listener.unix_mode},
                                       adopted_);
  if (!opened.ok()) return opened.status();
  auto socket = std::make_shared<Socket>(*std::move(opened), descriptors_);
  socket->configured = address;
  socket->users = {listener.name};
  sockets_->push_back(std::move(socket));
  return absl::OkStatus();
}

std::shared_ptr<ListenSockets::Socket> ListenSockets::find(const std::string& listener,
                                                           const net::Address& address) const {
  const auto found = std::find_if(sockets_->begin(), sockets_->end(), [&](const auto& socket) {
    return socket->configured == address && socket->users.contains(listener);
  });
  return found == sockets_->end() ? nullptr : *found;
}

void ListenSockets::serve(const net::ListenerSpec& listener) {
  if (ended_) return;
  for (const net::Address& address : listener.addresses) {
    const std::shared_ptr<Socket> socket = find(listener.name, address);
    CONVOY_ASSERT(socket != nullptr);
    handTo(listener.name, socket);
  }
  const auto& wanted = listener.addresses;
  for (const auto& socket : Sockets(*sockets_)) {
    const bool keeps = std::find(wanted.begin(), wanted.end(), socket->configured) != wanted.end();
    if (!keeps) giveUp(listener.name, socket);
  }
}

void ListenSockets::handTo(const std::string& listener, const std::shared_ptr<Socket>& socket) {
  if (socket->server == listener) return;
  const std::string from = std::exchange(socket->server, listener);
  for (Worker* worker : workers_) {
    worker->loop().post([worker, from, listener, socket] {
      for (const net::ListenSocket& own : socket->per_worker[worker->index()]) {
        worker->listeners().removeSocket(from, own.fd());
        worker->listeners().addSocket(listener, own);
      }
    });
  }
}

void ListenSockets::release(const std::string& listener) {
  for (const auto& socket : Sockets(*sockets_)) giveUp(listener, socket);
}

void ListenSockets::lastCall() {
  for (const auto& socket : *sockets_) {
    for (const auto& of_worker : socket->per_worker) {
      for (const net::ListenSocket& own : of_worker) own.dropNewHandshakes();
    }
  }
}

// Each worker closes its own, in the turn in which it has emptied their queues: whoever connects in
// between is reset.
void ListenSockets::releaseAll() {
  ended_ = true;
  for (const auto& socket : *sockets_) {
    for (Worker* worker : workers_) {
      worker->loop().post([worker, socket] { socket->per_worker[worker->index()].clear(); });
    }
  }
  sockets_->clear();
}

void ListenSockets::giveUp(const std::string& listener, const std::shared_ptr<Socket>& socket) {
  if (socket->users.erase(listener) == 0) return;
  if (socket->server == listener) {
    socket->server.clear();
    for (Worker* worker : workers_) {
      worker->loop().post([worker, listener, socket] {
        for (const net::ListenSocket& own : socket->per_worker[worker->index()]) {
          worker->listeners().removeSocket(listener, own.fd());
        }
      });
    }
  }
  if (socket->users.empty()) closeBehindWorkers(socket);
}

// Behind what was posted so far: after that no worker looks at the socket.
void ListenSockets::closeBehindWorkers(const std::shared_ptr<Socket>& socket) {
  ++socket->closings;
  auto missing = std::make_shared<std::atomic<size_t>>(workers_.size());
  for (Worker* worker : workers_) {
    worker->loop().post([&main = main_, weak = std::weak_ptr(sockets_), socket, missing] {
      if (missing->fetch_sub(1) > 1) return;
      main.post([weak, socket] {
        const auto sockets = weak.lock();
        const bool last = --socket->closings == 0;
        if (last && socket->users.empty() && sockets != nullptr) std::erase(*sockets, socket);
      });
    });
  }
}

std::vector<ListenSockets::Bound> ListenSockets::boundBy(const std::string& listener) const {
  std::vector<Bound> result;
  for (const auto& socket : *sockets_) {
    if (!socket->users.contains(listener)) continue;
    result.push_back({socket->configured, socket->per_worker.front().front().address()});
  }
  return result;
}

}  // namespace convoy::server
