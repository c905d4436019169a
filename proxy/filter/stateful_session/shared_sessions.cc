#include "proxy/filter/stateful_session/shared_sessions.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace convoy::filter::stateful_session {

namespace {

bool mayBeAddress(std::string_view text) {
  return !text.empty() && text.size() <= SharedSessions::kMostHost &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127; });
}

}  // namespace

// Owns itself until it is answered, which always happens (redis/client.h).
class SharedSessions::Check final : public redis::Call {
 public:
  static void start(const SharedSessions& sessions, redis::Client& redis,
                    const SessionTable::Key& client, std::string_view host, Serves serves) {
    auto check =
        std::unique_ptr<Check>(new Check(sessions, redis, client, host, std::move(serves)));
    if (sessions.ask(redis, client, *check)) static_cast<void>(check.release());
  }

 private:
  Check(const SharedSessions& sessions, redis::Client& redis, const SessionTable::Key& client,
        std::string_view host, Serves serves)
      : sessions_(sessions),
        redis_(redis),
        client_(client),
        host_(host),
        serves_(std::move(serves)) {}

  void onReply(const redis::Reply& reply) override {
    const std::unique_ptr<Check> self(this);
    using Kind = redis::Reply::Kind;
    const std::string_view host = hostOf(reply, redis_.metrics());
    if (host == host_ || (reply.kind != Kind::Text && reply.kind != Kind::Nil)) return;
    if (!host.empty() && serves_(host)) {
      sessions_.table_->move(client_, host);
    } else {
      (void)sessions_.tell(redis_, client_, host_, nullptr);
    }
  }

  const SharedSessions sessions_;  // configuration may go before the answer comes
  redis::Client& redis_;
  const SessionTable::Key client_;
  const std::string host_;
  const Serves serves_;
};

SharedSessions::SharedSessions(const SharedIn& spec, std::chrono::seconds ttl,
                               std::shared_ptr<SessionTable> table)
    : spec_(spec), ttl_(std::to_string(ttl.count())), table_(std::move(table)) {}

std::string SharedSessions::keyOf(const SessionTable::Key& client) const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::array<unsigned char, sizeof(client)> bytes;
  std::memcpy(bytes.data(), client.data(), bytes.size());
  std::string key = spec_.key_prefix;
  key.reserve(key.size() + 2 * bytes.size());
  for (const unsigned char byte : bytes) {
    key.push_back(kDigits[byte >> 4]);
    key.push_back(kDigits[byte & 15]);
  }
  return key;
}

bool SharedSessions::ask(redis::Client& redis, const SessionTable::Key& client,
                         redis::Call& call) const {
  const std::string key = keyOf(client);
  if (!redis.send({"GET", key}, &call)) return false;
  redis.metrics().lookups.add();
  // It is used: here, and so there.
  (void)redis.send({"EXPIRE", key, ttl_}, nullptr);
  return true;
}

std::string_view SharedSessions::hostOf(const redis::Reply& reply, redis::ClientMetrics& metrics) {
  if (reply.kind == redis::Reply::Kind::Nil) metrics.misses.add();
  if (reply.kind != redis::Reply::Kind::Text) return {};
  if (!mayBeAddress(reply.text)) {
    metrics.errors.add();
    return {};
  }
  metrics.hits.add();
  return reply.text;
}

bool SharedSessions::tell(redis::Client& redis, const SessionTable::Key& client,
                          std::string_view host, redis::Call* call) const {
  return redis.send({"SET", keyOf(client), host, "EX", ttl_}, call);
}

void SharedSessions::check(redis::Client& redis, const SessionTable::Key& client,
                           std::string_view host, Serves serves) const {
  Check::start(*this, redis, client, host, std::move(serves));
}

}  // namespace convoy::filter::stateful_session
