// The load of the benchmark's handshake rows: new TLS connections, each with one request.
//
//   handshakes PORT SECONDS CLIENTS full|resumed REQUEST_FILE
//
// CLIENTS threads connect to 127.0.0.1:PORT over and over, each: TCP, TLS, the HTTP/1.1 request
// that REQUEST_FILE holds, its whole response, close_notify, close. `full` never offers a
// session, `resumed` offers the newest ticket that the thread was given (TLS 1.3 with a new key
// exchange, as browsers do). One request is part of it since a server may keep its tickets back
// until it has something else to send.
//
// TLS 1.3, TLS_AES_128_GCM_SHA256, X25519, on OpenSSL. Certificates are not verified against
// anything: that is the client's work alone. Prints
//   connections N resumed N failed N p50_us N p99_us N
// and what went wrong first, if anything did. Times run from connect() to the end of the response.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace convoy::tools::benchmark {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPatienceSeconds = 10;
constexpr size_t kReadBytes = 16 * 1024;
constexpr const char* kServerName = "shop.example.com";
constexpr int kExitUsage = 2;

struct Load {
  sockaddr_in address = {};
  bool resume = false;
  std::string request;
  Clock::time_point end;
  SSL_CTX* context = nullptr;
  std::mutex mutex;
  std::string first_error;
};

// One thread that connects over and over.
class Client {
 public:
  explicit Client(Load* load) : load_(load) {}
  ~Client() { SSL_SESSION_free(session_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void run();
  uint64_t resumed() const { return resumed_; }
  uint64_t failed() const { return failed_; }
  const std::vector<uint32_t>& timesUs() const { return times_us_; }

  // OpenSSL's callback: the connection was given a ticket.
  static int keep(SSL* ssl, SSL_SESSION* session);

 private:
  std::optional<std::string> connectOnce();
  std::optional<std::string> exchange(SSL* ssl);

  Load* const load_;
  SSL_SESSION* session_ = nullptr;
  uint64_t resumed_ = 0;
  uint64_t failed_ = 0;
  std::vector<uint32_t> times_us_;
};

std::string opensslError(const char* what) {
  char text[256] = "connection closed";
  const unsigned long code = ERR_get_error();
  if (code != 0) ERR_error_string_n(code, text, sizeof(text));
  ERR_clear_error();
  return std::string(what) + ": " + text;
}

int Client::keep(SSL* ssl, SSL_SESSION* session) {
  auto* client = static_cast<Client*>(SSL_get_app_data(ssl));
  SSL_SESSION_free(client->session_);
  client->session_ = session;
  return 1;
}

void Client::run() {
  while (Clock::now() < load_->end) {
    const auto started = Clock::now();
    if (const auto error = connectOnce()) {
      ++failed_;
      const std::lock_guard lock(load_->mutex);
      if (load_->first_error.empty()) load_->first_error = *error;
      return;
    }
    const auto taken =
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started);
    times_us_.push_back(static_cast<uint32_t>(taken.count()));
  }
}

std::optional<std::string> Client::connectOnce() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience = {.tv_sec = kPatienceSeconds, .tv_usec = 0};
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  std::optional<std::string> error;
  if (connect(fd, reinterpret_cast<sockaddr*>(&load_->address), sizeof(load_->address)) != 0) {
    error = "connect: " + std::string(strerrorname_np(errno));
  } else {
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(load_->context), SSL_free);
    SSL_set_app_data(ssl.get(), this);
    SSL_set_fd(ssl.get(), fd);
    SSL_set_tlsext_host_name(ssl.get(), kServerName);
    if (load_->resume && session_ != nullptr) SSL_set_session(ssl.get(), session_);
    error = exchange(ssl.get());
    SSL_shutdown(ssl.get());
  }
  close(fd);
  return error;
}

// The number of bytes that a response has in all, or 0 while its head is not whole.
size_t sizeOf(std::string_view response) {
  constexpr std::string_view kName = "content-length: ";
  const size_t end = response.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  std::string head(response.substr(0, end));
  std::transform(head.begin(), head.end(), head.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const size_t at = head.find(kName);
  const size_t body =
      at == std::string::npos ? 0 : std::strtoull(head.c_str() + at + kName.size(), nullptr, 10);
  return end + 4 + body;
}

std::optional<std::string> Client::exchange(SSL* ssl) {
  if (SSL_connect(ssl) != 1) return opensslError("handshake");
  if (SSL_session_reused(ssl) != 0) ++resumed_;
  const auto size = static_cast<int>(load_->request.size());
  if (SSL_write(ssl, load_->request.data(), size) != size) return opensslError("write");
  std::string response;
  char buffer[kReadBytes];
  while (sizeOf(response) == 0 || response.size() < sizeOf(response)) {
    const int got = SSL_read(ssl, buffer, sizeof(buffer));
    if (got <= 0) return opensslError("read");
    response.append(buffer, static_cast<size_t>(got));
  }
  if (!response.starts_with("HTTP/1.1 200")) return "answered " + response.substr(0, 100);
  return std::nullopt;
}

SSL_CTX* newContext() {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
  SSL_CTX_set1_groups_list(context, "X25519");
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context, Client::keep);
  return context;
}

std::string readAll(const char* path) {
  std::string text;
  std::FILE* const file = std::fopen(path, "rb");
  if (file == nullptr) return text;
  char buffer[kReadBytes];
  size_t size = 0;
  while ((size = std::fread(buffer, 1, sizeof(buffer), file)) > 0) text.append(buffer, size);
  std::fclose(file);
  return text;
}

unsigned percentile(const std::vector<uint32_t>& sorted, size_t percent) {
  return sorted.empty() ? 0 : sorted[(sorted.size() - 1) * percent / 100];
}

int runMain(int argc, char** argv) {
  const std::string_view kind = argc == 6 ? argv[4] : "";
  if (kind != "full" && kind != "resumed") {
    std::fprintf(stderr, "usage: handshakes PORT SECONDS CLIENTS full|resumed REQUEST_FILE\n");
    return kExitUsage;
  }
  std::signal(SIGPIPE, SIG_IGN);
  Load load;
  load.address.sin_family = AF_INET;
  load.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  load.address.sin_port = htons(static_cast<uint16_t>(std::atoi(argv[1])));
  load.resume = kind == "resumed";
  load.request = readAll(argv[5]);
  if (load.request.empty()) {
    std::fprintf(stderr, "handshakes: cannot read a request from %s\n", argv[5]);
    return 1;
  }
  load.context = newContext();
  load.end = Clock::now() + std::chrono::seconds(std::atoi(argv[2]));

  std::vector<std::unique_ptr<Client>> clients;
  std::vector<std::thread> threads;
  for (int i = 0; i < std::atoi(argv[3]); ++i) {
    clients.push_back(std::make_unique<Client>(&load));
    threads.emplace_back([client = clients.back().get()] { client->run(); });
  }
  uint64_t resumed = 0;
  uint64_t failed = 0;
  std::vector<uint32_t> times;
  for (size_t i = 0; i < threads.size(); ++i) {
    threads[i].join();
    resumed += clients[i]->resumed();
    failed += clients[i]->failed();
    times.insert(times.end(), clients[i]->timesUs().begin(), clients[i]->timesUs().end());
  }
  std::sort(times.begin(), times.end());
  std::printf("connections %zu resumed %llu failed %llu p50_us %u p99_us %u\n", times.size(),
              static_cast<unsigned long long>(resumed), static_cast<unsigned long long>(failed),
              percentile(times, 50), percentile(times, 99));
  if (!load.first_error.empty()) std::printf("%s\n", load.first_error.c_str());
  clients.clear();
  SSL_CTX_free(load.context);
  return 0;
}

}  // namespace
}  // namespace convoy::tools::benchmark

int main(int argc, char** argv) {
  return convoy::tools::benchmark::runMain(argc, argv);
}
