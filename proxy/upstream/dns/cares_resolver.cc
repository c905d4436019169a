#include "proxy/upstream/dns/cares_resolver.h"

#include <ares.h>
#include <uv.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/assert.h"
#include "proxy/base/strings.h"

namespace convoy::upstream {

namespace {

using Kind = DnsAnswer::Kind;
using Family = net::Address::Family;

constexpr uint16_t kDnsPort = 53;

// What c-ares says, as ours.
DnsAnswer withoutAddresses(int status) {
  switch (status) {
    case ARES_ENOTFOUND:
      return {.kind = Kind::NotFound, .reason = "NXDOMAIN: there is no such name"};
    case ARES_ENODATA:
      return {.kind = Kind::NoData, .reason = "the name has no address"};
    case ARES_ETIMEOUT:
      return {.kind = Kind::Timeout, .reason = "no DNS server answered in time"};
    case ARES_ESERVFAIL:
      return {.kind = Kind::Failed, .reason = "SERVFAIL"};
    case ARES_EREFUSED:
      return {.kind = Kind::Failed, .reason = "REFUSED by the DNS server"};
    case ARES_ENOTIMP:
      return {.kind = Kind::Failed, .reason = "NOTIMP: the DNS server does not know the question"};
    case ARES_EFORMERR:
      return {.kind = Kind::Failed, .reason = "FORMERR: the DNS server does not take the question"};
    case ARES_ECONNREFUSED:
      // Also what is left of SERVFAIL and REFUSED when every server was tried.
      return {.kind = Kind::Failed,
              .reason = "no DNS server can be reached, or each says SERVFAIL or REFUSED"};
    case ARES_EBADRESP:
      return {.kind = Kind::Failed, .reason = "the DNS server's answer is malformed"};
    default:
      return {.kind = Kind::Failed, .reason = "the query could not be made"};
  }
}

DnsAnswer toAnswer(int status, const ares_addrinfo* result) {
  if (status != ARES_SUCCESS) return withoutAddresses(status);
  DnsAnswer answer{.kind = Kind::Addresses};
  int ttl = INT32_MAX;
  for (const auto* node = result->nodes; node != nullptr; node = node->ai_next) {
    answer.addresses.push_back(net::Address::fromSockaddr(node->ai_addr, node->ai_addrlen));
    ttl = std::min(ttl, node->ai_ttl);
  }
  for (const auto* name = result->cnames; name != nullptr; name = name->next) {
    ttl = std::min(ttl, name->ttl);
  }
  if (answer.addresses.empty()) return withoutAddresses(ARES_ENODATA);
  answer.ttl = std::chrono::seconds(std::max(0, ttl));  // one with the highest bit set is 0
  return answer;
}

ares_addr_port_node toNode(const net::Address& server) {
  ares_addr_port_node node{};
  const std::string_view bytes = server.ipBytes();
  node.family = server.family() == Family::Ipv4 ? AF_INET : AF_INET6;
  std::memcpy(&node.addr, bytes.data(), bytes.size());
  node.udp_port = node.tcp_port = server.port() == 0 ? kDnsPort : server.port();
  return node;
}

int setServers(ares_channel channel, const std::vector<net::Address>& servers) {
  std::vector<ares_addr_port_node> nodes;
  for (const net::Address& server : servers) nodes.push_back(toNode(server));
  for (size_t i = 0; i + 1 < nodes.size(); ++i) nodes[i].next = &nodes[i + 1];
  return ares_set_servers_ports(channel, nodes.data());
}

// RFC 6761 6.3: "localhost" and the names below it.
bool isLocalhost(std::string_view host) {
  constexpr std::string_view kName = "localhost";
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() < kName.size()) return false;
  const size_t before = host.size() - kName.size();
  return base::equalsIgnoreCase(host.substr(before), kName) &&
         (before == 0 || host[before - 1] == '.');
}

DnsAnswer loopback(Family family) {
  const char* const ip = family == Family::Ipv4 ? "127.0.0.1" : "::1";
  return {.kind = Kind::Addresses, .addresses = {net::Address::fromIp(ip, 0).value()}};
}

// Without /etc/resolv.conf, or with one that names nobody, c-ares asks 127.0.0.1 alone.
bool asksOnlyItself(ares_channel channel) {
  ares_addr_port_node* servers = nullptr;
  if (ares_get_servers_ports(channel, &servers) != ARES_SUCCESS || servers == nullptr) return true;
  const bool alone = servers->next == nullptr && servers->family == AF_INET &&
                     servers->addr.addr4.s_addr == htonl(INADDR_LOOPBACK);
  ares_free_data(servers);
  return alone;
}

}  // namespace

class CaresResolver::Query final : public DnsQuery, public base::ListHook<> {
 public:
  Query(CaresResolver& owner, const DnsResolverSpec& spec, std::string host, Family family,
        std::function<void(DnsAnswer)> done)
      : owner_(owner),
        spec_(spec),
        host_(std::move(host)),
        family_(family),
        done_(std::move(done)),
        timer_(owner.loop_, [this] { onTimer(); }),
        answered_([](void* self) { static_cast<Query*>(self)->finish(); }, this) {}

  ~Query() override {
    const bool was_running = running_;
    close();
    if (done_) owner_.end(was_running);
  }

  // The answer never comes from inside this.
  void run() {
    running_ = true;
    expires_at_ = owner_.loop_.now() + owner_.options_.longest;
    if (isLocalhost(host_)) {
      take(loopback(family_));
    } else if (const int status = open(); status != ARES_SUCCESS) {
      take(withoutAddresses(status));
    } else {
      ares_addrinfo_hints hints{};
      // In the server's order: the system's would connect a socket to each address.
      hints.ai_flags = ARES_AI_NOSORT;
      hints.ai_family = family_ == Family::Ipv4 ? AF_INET : AF_INET6;
      ares_getaddrinfo(channel_, host_.c_str(), nullptr, &hints, &Query::onResult, this);
    }
    if (answer_.has_value()) {
      owner_.loop_.atEndOfTurn(answered_);
    } else {
      armTimer();
    }
  }

 private:
  // A socket of the channel's. It outlives both until libuv has let go.
  struct Poll {
    uv_poll_t handle;
    Query* query;
    ares_socket_t fd;
    int events;
  };

  int open() {
    const Options& options = owner_.options_;
    ares_options ares{};
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
    if (spec_.use_tcp) ares.flags |= ARES_FLAG_USEVC;
    // ARES_FLAG_NOSEARCH would not do: this version's ares_getaddrinfo() does not look at it.
    if (!spec_.use_search_domains || host_.ends_with('.')) mask |= ARES_OPT_DOMAINS;
    ares.timeout = static_cast<int>(options.timeout.count());
    ares.tries = options.tries;
    ares.sock_state_cb = &Query::onSocket;
    ares.sock_state_cb_data = this;
    std::string resolv_conf = options.resolv_conf;
    if (!resolv_conf.empty()) {
      ares.resolvconf_path = resolv_conf.data();
      mask |= ARES_OPT_RESOLVCONF;
    }
    const int status = ares_init_options(&channel_, &ares, mask);
    if (status != ARES_SUCCESS) {
      channel_ = nullptr;
      return status;
    }
    if (spec_.servers.empty()) return ARES_SUCCESS;
    if (spec_.servers_are_fallback && !asksOnlyItself(channel_)) return ARES_SUCCESS;
    return setServers(channel_, spec_.servers);
  }

  // Not from inside c-ares. Closes the sockets, by onSocket().
  void close() {
    cancelled_ = true;
    running_ = false;
    if (channel_ != nullptr) ares_destroy(std::exchange(channel_, nullptr));
    CONVOY_ASSERT(polls_.empty());
  }

  static void onResult(void* self, int status, int /*timeouts*/, ares_addrinfo* result) {
    auto& query = *static_cast<Query*>(self);
    if (!query.cancelled_) query.take(toAnswer(status, result));
    if (result != nullptr) ares_freeaddrinfo(result);
  }

  void take(DnsAnswer answer) { answer_ = std::move(answer); }

  static void onSocket(void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<Query*>(self)->watch(
        fd, (readable != 0 ? UV_READABLE : 0) | (writable != 0 ? UV_WRITABLE : 0));
  }

  void watch(ares_socket_t fd, int events) {
    const auto found = std::find_if(polls_.begin(), polls_.end(),
                                    [fd](const Poll* poll) { return poll->fd == fd; });
    if (events == 0) {
      if (found == polls_.end()) return;
      Poll* poll = *found;
      polls_.erase(found);
      uv_close(reinterpret_cast<uv_handle_t*>(&poll->handle),
               [](uv_handle_t* handle) { delete static_cast<Poll*>(handle->data); });
      return;
    }
    Poll* poll = found == polls_.end() ? addPoll(fd) : *found;
    poll->events = events;
    start(*poll);
  }

  Poll* addPoll(ares_socket_t fd) {
    auto* poll = new Poll{.handle = {}, .query = this, .fd = fd, .events = 0};
    CONVOY_ASSERT(uv_poll_init(owner_.loop_.uv(), &poll->handle, fd) == 0);
    poll->handle.data = poll;
    polls_.push_back(poll);
    return poll;
  }

  static void start(Poll& poll) {
    uv_poll_start(&poll.handle, poll.events, [](uv_poll_t* handle, int status, int events) {
      Query& query = *static_cast<Poll*>(handle->data)->query;
      const ares_socket_t fd = static_cast<Poll*>(handle->data)->fd;
      const event::Loop::TurnScope turn(query.owner_.loop_);
      // An error on the socket is for c-ares to read.
      const bool failed = status < 0;
      query.process(failed || (events & UV_READABLE) != 0 ? fd : ARES_SOCKET_BAD,
                    failed || (events & UV_WRITABLE) != 0 ? fd : ARES_SOCKET_BAD);
    });
  }

  // The last thing that a caller of this does: it may destroy the query.
  void process(ares_socket_t readable, ares_socket_t writable) {
    ares_process_fd(channel_, readable, writable);
    if (answer_.has_value()) return finish();
    // libuv stops looking at a socket with an error.
    for (Poll* poll : polls_) {
      if (uv_is_active(reinterpret_cast<uv_handle_t*>(&poll->handle)) == 0) start(*poll);
    }
    armTimer();
  }

  void armTimer() {
    event::Duration delay = expires_at_ - owner_.loop_.now();
    timeval next{};
    if (ares_timeout(channel_, nullptr, &next) != nullptr) {
      const event::Duration again =
          std::chrono::seconds(next.tv_sec) + std::chrono::microseconds(next.tv_usec);
      delay = std::min(delay, again);
    }
    timer_.armAfter(delay);
  }

  void onTimer() {
    if (owner_.loop_.now() >= expires_at_) {
      take(withoutAddresses(ARES_ETIMEOUT));
      return finish();
    }
    process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  }

  void finish() {
    close();
    timer_.cancel();
    count(answer_->kind);
    owner_.end(/*was_running=*/true);
    const auto done = std::exchange(done_, nullptr);
    done(*std::move(answer_));
  }

  void count(Kind kind) {
    CaresMetrics& metrics = owner_.metrics();
    if (kind == Kind::NotFound || kind == Kind::NoData) metrics.not_found.add();
    if (kind == Kind::Timeout) metrics.timeout.add();
    if (kind == Kind::Failed) metrics.get_addr_failure.add();
  }

  CaresResolver& owner_;
  const DnsResolverSpec spec_;
  const std::string host_;
  const Family family_;
  std::function<void(DnsAnswer)> done_;  // null: it was told
  ares_channel channel_ = nullptr;
  std::vector<Poll*> polls_;
  std::optional<DnsAnswer> answer_;
  bool running_ = false;
  bool cancelled_ = false;  // whatever c-ares says is not wanted any more
  event::MonotonicTime expires_at_{};
  event::Timer timer_;
  event::EndOfTurnTask answered_;
};

CaresResolver::CaresResolver(event::Loop& loop, observe::MetricRegistry& registry, Options options)
    : loop_(loop), options_(std::move(options)), metrics_(registry, "dns.cares", {}, /*slots=*/1) {
  CONVOY_ASSERT(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS);
}

CaresResolver::~CaresResolver() {
  CONVOY_ASSERT(running_ == 0 && waiting_.empty());
  ares_library_cleanup();
}

std::unique_ptr<DnsQuery> CaresResolver::query(const DnsResolverSpec& spec, const std::string& host,
                                               Family family, std::function<void(DnsAnswer)> done) {
  CONVOY_ASSERT(loop_.isOwnThread());
  auto query = std::make_unique<Query>(*this, spec, host, family, std::move(done));
  metrics().resolve_total.add();
  metrics().pending_resolutions.add();
  if (running_ < options_.most) {
    begin(*query);
  } else {
    metrics().queued.add();
    waiting_.pushBack(*query);
  }
  return query;
}

void CaresResolver::begin(Query& query) {
  ++running_;
  query.run();
}

// A query has an answer, or was cancelled.
void CaresResolver::end(bool was_running) {
  metrics().pending_resolutions.sub();
  if (!was_running) return;
  --running_;
  if (!waiting_.empty() && running_ < options_.most) begin(waiting_.popFront());
}

}  // namespace convoy::upstream
