// The backend of the benchmark's rows with HTTP/2 to the backends: cleartext, by prior knowledge.
//
//   h2_backend STATS_FILE BODY_BYTES [HEADER: VALUE]...
//
// Answers every request with BODY_BYTES bytes and the given headers; a request with content-type
// application/grpc gets them as one gRPC message and `grpc-status: 0` in the trailers. Listens on
// two free ports of 127.0.0.1 and prints `listening on 127.0.0.1:PORT` for each.
//
// STATS_FILE is mapped and always holds three uint64_t in the machine's byte order, which whoever
// measures reads without asking: connections accepted, connections closed, requests answered.
//
// One thread, one epoll, nghttp2 (RFC 9113). All input of a turn is read first, then all answers
// go out in one write. SIGTERM ends it at once.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace convoy::tools::benchmark {
namespace {

constexpr int kBacklog = 4096;
constexpr int kEventsPerWait = 256;
constexpr size_t kInputBytes = 64 * 1024;
constexpr size_t kOutputBytes = 256 * 1024;  // the rest of an answer waits in nghttp2
constexpr uint32_t kMaxStreams = 1024;
constexpr int kPorts = 2;
constexpr int kExitUsage = 2;

// What the mapped file holds. One writer; aligned 64-bit stores are never seen half done.
struct Stats {
  volatile uint64_t accepted;
  volatile uint64_t closed;
  volatile uint64_t requests;
};

struct Answers {
  std::string body;
  std::string message;  // the same as one gRPC message
  std::vector<std::pair<std::string, std::string>> headers;
};

struct Stream {
  bool grpc = false;
  std::string_view left;  // what the body still has to send
};

class Server;

struct Connection {
  Server* server = nullptr;
  int fd = -1;
  nghttp2_session* session = nullptr;
  std::string unsent;
};

class Server {
 public:
  Server(Stats* stats, Answers answers);

  // False if no port could be opened.
  bool listen();
  [[noreturn]] void run();

 private:
  void watch(int fd, void* tag, uint32_t events, int operation) const;
  void acceptAll(int listener);
  void serve(Connection* connection, uint32_t events);
  bool read(Connection* connection);
  bool flush(Connection* connection);
  void close(Connection* connection);
  void answer(Connection* connection, int32_t id, Stream* stream);
  void updateDate();

  static int onBegin(nghttp2_session* session, const nghttp2_frame* frame, void* user);
  static int onHeader(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name,
                      size_t name_size, const uint8_t* value, size_t value_size, uint8_t flags,
                      void* user);
  static int onFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user);
  static int onClose(nghttp2_session* session, int32_t id, uint32_t error, void* user);
  static ssize_t readBody(nghttp2_session* session, int32_t id, uint8_t* buffer, size_t size,
                          uint32_t* flags, nghttp2_data_source* source, void* user);

  const int epoll_;
  Stats* const stats_;
  const Answers answers_;
  nghttp2_session_callbacks* callbacks_ = nullptr;
  int listeners_[kPorts] = {};
  time_t now_ = 0;
  std::string date_;
  std::vector<uint8_t> input_;
};

nghttp2_nv field(std::string_view name, std::string_view value) {
  return {reinterpret_cast<uint8_t*>(const_cast<char*>(name.data())),
          reinterpret_cast<uint8_t*>(const_cast<char*>(value.data())), name.size(), value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

Server::Server(Stats* stats, Answers answers)
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      stats_(stats),
      answers_(std::move(answers)),
      input_(kInputBytes) {
  nghttp2_session_callbacks_new(&callbacks_);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks_, onBegin);
  nghttp2_session_callbacks_set_on_header_callback(callbacks_, onHeader);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks_, onFrame);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks_, onClose);
}

bool Server::listen() {
  for (int& listener : listeners_) {
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener, kBacklog) != 0 ||
        getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      std::perror("h2_backend: cannot listen");
      return false;
    }
    watch(listener, &listener, EPOLLIN, EPOLL_CTL_ADD);
    std::printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
  }
  std::fflush(stdout);
  return true;
}

void Server::run() {
  epoll_event events[kEventsPerWait];
  while (true) {
    const int count = epoll_wait(epoll_, events, kEventsPerWait, -1);
    updateDate();
    for (int i = 0; i < count; ++i) {
      void* const tag = events[i].data.ptr;
      if (tag == &listeners_[0] || tag == &listeners_[1]) {
        acceptAll(*static_cast<int*>(tag));
      } else {
        serve(static_cast<Connection*>(tag), events[i].events);
      }
    }
  }
}

void Server::updateDate() {
  const time_t now = time(nullptr);
  if (now == now_) return;
  now_ = now;
  tm parts;
  gmtime_r(&now, &parts);
  char text[64];
  strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  date_ = text;
}

void Server::watch(int fd, void* tag, uint32_t events, int operation) const {
  epoll_event event = {};
  event.events = events;
  event.data.ptr = tag;
  epoll_ctl(epoll_, operation, fd, &event);
}

void Server::acceptAll(int listener) {
  while (true) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    auto* connection = new Connection{.server = this, .fd = fd, .session = nullptr, .unsent = {}};
    nghttp2_session_server_new(&connection->session, callbacks_, connection);
    const nghttp2_settings_entry streams = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, kMaxStreams};
    nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, &streams, 1);
    stats_->accepted = stats_->accepted + 1;
    watch(fd, connection, EPOLLIN, EPOLL_CTL_ADD);
  }
}

// A connection has one entry in a batch of events, so it may be deleted here.
void Server::serve(Connection* connection, uint32_t events) {
  const bool readable = (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
  const bool alive = (!readable || read(connection)) && flush(connection) &&
                     (nghttp2_session_want_read(connection->session) != 0 ||
                      nghttp2_session_want_write(connection->session) != 0);
  if (!alive) close(connection);
}

bool Server::read(Connection* connection) {
  while (true) {
    const ssize_t size = recv(connection->fd, input_.data(), input_.size(), 0);
    if (size < 0) return errno == EAGAIN;
    if (size == 0) return false;
    const auto bytes = static_cast<size_t>(size);
    if (nghttp2_session_mem_recv(connection->session, input_.data(), bytes) < 0) return false;
    if (bytes < input_.size()) return true;
  }
}

// Sends what there is; while the socket takes no more, nothing is read either.
bool Server::flush(Connection* connection) {
  std::string& out = connection->unsent;
  const bool waited = !out.empty();
  while (true) {
    while (out.size() < kOutputBytes) {
      const uint8_t* bytes = nullptr;
      const ssize_t size = nghttp2_session_mem_send(connection->session, &bytes);
      if (size < 0) return false;
      if (size == 0) break;
      out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
    }
    if (out.empty()) break;
    const ssize_t sent = send(connection->fd, out.data(), out.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return false;
    out.erase(0, static_cast<size_t>(std::max<ssize_t>(sent, 0)));
    if (!out.empty()) break;
  }
  if (waited != !out.empty()) {
    watch(connection->fd, connection, out.empty() ? EPOLLIN : EPOLLOUT, EPOLL_CTL_MOD);
  }
  return true;
}

void Server::close(Connection* connection) {
  ::close(connection->fd);
  nghttp2_session_del(connection->session);
  delete connection;
  stats_->closed = stats_->closed + 1;
}

void Server::answer(Connection* connection, int32_t id, Stream* stream) {
  stream->left = stream->grpc ? answers_.message : answers_.body;
  const std::string length = std::to_string(stream->left.size());
  std::vector<nghttp2_nv> fields = {field(":status", "200"), field("date", date_)};
  if (stream->grpc) {
    fields.push_back(field("content-type", "application/grpc"));
  } else {
    fields.push_back(field("content-type", "text/plain"));
    fields.push_back(field("content-length", length));
  }
  for (const auto& [name, value] : answers_.headers) fields.push_back(field(name, value));
  const nghttp2_data_provider body = {.source = {.ptr = stream}, .read_callback = readBody};
  nghttp2_submit_response(connection->session, id, fields.data(), fields.size(), &body);
  stats_->requests = stats_->requests + 1;
}

int Server::onBegin(nghttp2_session* session, const nghttp2_frame* frame, void*) {
  if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
  nghttp2_session_set_stream_user_data(session, frame->hd.stream_id,
                                       std::make_unique<Stream>().release());
  return 0;
}

int Server::onHeader(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name,
                     size_t name_size, const uint8_t* value, size_t value_size, uint8_t, void*) {
  const std::string_view key(reinterpret_cast<const char*>(name), name_size);
  if (key != "content-type") return 0;
  const std::string_view type(reinterpret_cast<const char*>(value), value_size);
  auto* stream =
      static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, frame->hd.stream_id));
  if (stream != nullptr) stream->grpc = type.starts_with("application/grpc");
  return 0;
}

int Server::onFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
  if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
  if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
  auto* stream =
      static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, frame->hd.stream_id));
  auto* connection = static_cast<Connection*>(user);
  if (stream != nullptr) connection->server->answer(connection, frame->hd.stream_id, stream);
  return 0;
}

int Server::onClose(nghttp2_session* session, int32_t id, uint32_t, void*) {
  const std::unique_ptr<Stream> done(
      static_cast<Stream*>(nghttp2_session_get_stream_user_data(session, id)));
  return 0;
}

ssize_t Server::readBody(nghttp2_session* session, int32_t id, uint8_t* buffer, size_t size,
                         uint32_t* flags, nghttp2_data_source* source, void*) {
  auto* stream = static_cast<Stream*>(source->ptr);
  const size_t taken = std::min(size, stream->left.size());
  std::memcpy(buffer, stream->left.data(), taken);
  stream->left.remove_prefix(taken);
  if (!stream->left.empty()) return static_cast<ssize_t>(taken);
  *flags |= NGHTTP2_DATA_FLAG_EOF;
  if (stream->grpc) {
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    const nghttp2_nv status = field("grpc-status", "0");
    nghttp2_submit_trailer(session, id, &status, 1);
  }
  return static_cast<ssize_t>(taken);
}

// One uncompressed gRPC message: a flag, the length in network order, the bytes.
std::string framed(const std::string& body) {
  const uint32_t length = htonl(static_cast<uint32_t>(body.size()));
  std::string message(1, '\0');
  message.append(reinterpret_cast<const char*>(&length), sizeof(length));
  return message + body;
}

Stats* mapStats(const char* path) {
  const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, sizeof(Stats)) != 0) return nullptr;
  void* const memory = mmap(nullptr, sizeof(Stats), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  return memory == MAP_FAILED ? nullptr : static_cast<Stats*>(memory);
}

int runMain(int argc, char** argv) {
  size_t body_bytes = 0;
  const bool usable =
      argc >= 3 &&
      std::from_chars(argv[2], argv[2] + std::strlen(argv[2]), body_bytes).ec == std::errc();
  if (!usable) {
    std::fprintf(stderr, "usage: h2_backend STATS_FILE BODY_BYTES [HEADER: VALUE]...\n");
    return kExitUsage;
  }
  Answers answers;
  answers.body.assign(body_bytes, '.');
  answers.message = framed(answers.body);
  for (int i = 3; i < argc; ++i) {
    const std::string_view line = argv[i];
    const size_t colon = line.find(": ");
    if (colon == std::string_view::npos) {
      std::fprintf(stderr, "h2_backend: '%s' must be `name: value`\n", argv[i]);
      return kExitUsage;
    }
    answers.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  Stats* const stats = mapStats(argv[1]);
  if (stats == nullptr) {
    std::perror("h2_backend: cannot map STATS_FILE");
    return 1;
  }
  const auto server = std::make_unique<Server>(stats, std::move(answers));
  if (!server->listen()) return 1;
  server->run();
}

}  // namespace
}  // namespace convoy::tools::benchmark

int main(int argc, char** argv) {
  return convoy::tools::benchmark::runMain(argc, argv);
}
