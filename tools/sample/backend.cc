// A small, fast HTTP/1.1 backend: what a load balancer is tried out, tested and measured with.
//
//   backend --listen 127.0.0.1:0 --name blue
//
// One thread, one libuv loop. SIGTERM and SIGINT stop it gracefully: no new connections, idle ones
// are closed, responses under way are finished; a second signal, or 10 s, end it at once.

#include <uv.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/sample/connection.h"
#include "tools/sample/responder.h"

namespace convoy::tools::sample {
namespace {

constexpr int kBacklog = 4096;
constexpr uint64_t kDrainMs = 10'000;
constexpr int kExitUsage = 2;

struct Options {
  std::vector<std::string> addresses;
  ResponderOptions responder;
};

class Server {
 public:
  explicit Server(const Options& options) : responder_(options.responder) {
    shared_.responder = &responder_;
    updateDate();
  }

  // Listens and prints one line per address. False, with a message for people, if it cannot.
  bool listen(const std::string& address);

  // Serves until a signal ends it.
  void run();

 private:
  struct Listener {
    union {
      uv_handle_t handle;
      uv_stream_t stream;
      uv_tcp_t tcp;
      uv_pipe_t pipe;
    };
  };

  int bind(Listener* listener, const std::string& address);
  void watchSignal(uv_signal_t* handle, int signal);
  void stop();
  void updateDate();

  uv_loop_t* const loop_ = uv_default_loop();
  Responder responder_;
  Shared shared_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  uv_signal_t on_term_;
  uv_signal_t on_int_;
  uv_timer_t date_timer_;
  uv_timer_t drain_timer_;
  bool stopping_ = false;
};

// The address that the kernel gave a TCP listener, as people write it.
std::string nameOf(const uv_tcp_t& tcp) {
  sockaddr_storage storage;
  int size = sizeof(storage);
  uv_tcp_getsockname(&tcp, reinterpret_cast<sockaddr*>(&storage), &size);
  char text[64] = "";
  if (storage.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    uv_ip6_name(v6, text, sizeof(text));
    return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6->sin6_port));
  }
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
  uv_ip4_name(v4, text, sizeof(text));
  return std::string(text) + ":" + std::to_string(ntohs(v4->sin_port));
}

int Server::bind(Listener* listener, const std::string& address) {
  constexpr std::string_view kUnix = "unix:";
  if (address.starts_with(kUnix)) {
    uv_pipe_init(loop_, &listener->pipe, 0);
    return uv_pipe_bind(&listener->pipe, address.c_str() + kUnix.size());
  }
  uv_tcp_init(loop_, &listener->tcp);
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return UV_EINVAL;
  std::string host = address.substr(0, colon);
  int port = -1;
  const char* end = address.data() + address.size();
  const auto parsed = std::from_chars(address.data() + colon + 1, end, port);
  if (parsed.ec != std::errc() || parsed.ptr != end || port < 0 || port > 65535) return UV_EINVAL;
  sockaddr_storage storage;
  int result = 0;
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    result = uv_ip6_addr(host.c_str(), port, reinterpret_cast<sockaddr_in6*>(&storage));
  } else {
    result = uv_ip4_addr(host.c_str(), port, reinterpret_cast<sockaddr_in*>(&storage));
  }
  if (result != 0) return result;
  return uv_tcp_bind(&listener->tcp, reinterpret_cast<sockaddr*>(&storage), 0);
}

bool Server::listen(const std::string& address) {
  auto listener = std::make_unique<Listener>();
  int result = bind(listener.get(), address);
  listener->handle.data = &shared_;
  if (result == 0) {
    result = uv_listen(&listener->stream, kBacklog, [](uv_stream_t* stream, int status) {
      if (status == 0) Connection::accept(stream, static_cast<Shared*>(stream->data));
    });
  }
  if (result != 0) {
    std::fprintf(
        stderr,
        "backend: cannot listen on %s: %s; --listen takes IPV4:PORT, [IPV6]:PORT or unix:PATH "
        "(port 0: any free one)\n",
        address.c_str(), uv_strerror(result));
    return false;
  }
  const bool tcp = listener->handle.type == UV_TCP;
  std::printf("listening on %s\n", tcp ? nameOf(listener->tcp).c_str() : address.c_str());
  std::fflush(stdout);
  listeners_.push_back(std::move(listener));
  return true;
}

void Server::run() {
  watchSignal(&on_term_, SIGTERM);
  watchSignal(&on_int_, SIGINT);
  uv_timer_init(loop_, &date_timer_);
  date_timer_.data = this;
  uv_timer_start(
      &date_timer_, [](uv_timer_t* timer) { static_cast<Server*>(timer->data)->updateDate(); },
      1000, 1000);
  uv_unref(reinterpret_cast<uv_handle_t*>(&date_timer_));
  uv_run(loop_, UV_RUN_DEFAULT);
}

void Server::watchSignal(uv_signal_t* handle, int signal) {
  uv_signal_init(loop_, handle);
  handle->data = this;
  uv_signal_start(
      handle, [](uv_signal_t* source, int) { static_cast<Server*>(source->data)->stop(); }, signal);
  uv_unref(reinterpret_cast<uv_handle_t*>(handle));
}

void Server::stop() {
  if (stopping_) {
    uv_stop(loop_);
    return;
  }
  stopping_ = true;
  responder_.setDraining();
  for (const auto& listener : listeners_) uv_close(&listener->handle, nullptr);
  Connection* connection = shared_.first;
  while (connection != nullptr) {
    Connection* const next = connection->next();
    connection->drain();
    connection = next;
  }
  uv_timer_init(loop_, &drain_timer_);
  uv_timer_start(
      &drain_timer_, [](uv_timer_t* timer) { uv_stop(timer->loop); }, kDrainMs, 0);
  uv_unref(reinterpret_cast<uv_handle_t*>(&drain_timer_));
}

void Server::updateDate() {
  const time_t now = time(nullptr);
  tm parts;
  gmtime_r(&now, &parts);
  char text[64];
  strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  responder_.setDate(text);
}

constexpr std::string_view kUsage =
    "usage: backend [--listen ADDRESS]... [--name NAME] [--body-bytes N] [--delay-ms N] [--header "
    "'NAME: VALUE']...\n"
    "\n"
    "A sample HTTP/1.1 backend. Prints `listening on ADDRESS` for every address once it listens.\n"
    "\n"
    "  --listen ADDRESS   IPV4:PORT, [IPV6]:PORT or unix:PATH; port 0 takes any free one\n"
    "                     (default 127.0.0.1:0; may be given several times)\n"
    "  --name NAME        sent in the x-backend header and the default body (default backend);\n"
    "                     letters, digits, `.`, `_` and `-`\n"
    "  --body-bytes N     size of the default body (default: the name and a newline)\n"
    "  --delay-ms N       wait so long before each response (default 0, at most 600000)\n"
    "  --header LINE      a header that every response carries; may be given several times\n"
    "\n"
    "Paths:\n";

int usageError(const std::string& message) {
  std::fprintf(stderr, "backend: %s; see --help\n", message.c_str());
  return kExitUsage;
}

bool isName(std::string_view text) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  return !text.empty() && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

bool isHeader(std::string_view line) {
  const size_t colon = line.find(": ");
  return colon != std::string_view::npos && isName(line.substr(0, colon)) &&
         line.find_first_of("\r\n") == std::string_view::npos;
}

bool isNumberUpTo(uint64_t most, const std::string& text, uint64_t* number) {
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, *number);
  return parsed.ec == std::errc() && parsed.ptr == end && *number <= most;
}

// Takes one flag and its value; returns what is wrong with them, or nothing.
std::optional<std::string> setOption(std::string_view flag, const std::string& value,
                                     Options* options) {
  if (flag == "--listen") {
    options->addresses.push_back(value);
  } else if (flag == "--name") {
    if (!isName(value)) return "--name " + value + ": has a character that is not allowed";
    options->responder.name = value;
  } else if (flag == "--header") {
    if (!isHeader(value)) return "--header '" + value + "': must be `name: value`";
    options->responder.headers.push_back(value);
  } else if (flag == "--body-bytes") {
    if (!isNumberUpTo(64 << 20, value, &options->responder.body_bytes)) {
      return "--body-bytes " + value + ": must be a number up to 67108864";
    }
  } else if (flag == "--delay-ms") {
    if (!isNumberUpTo(600'000, value, &options->responder.delay_ms)) {
      return "--delay-ms " + value + ": must be a number up to 600000";
    }
  } else {
    return "unknown option " + std::string(flag);
  }
  return std::nullopt;
}

int runMain(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string_view flag = argv[i];
    if (flag == "--help" || flag == "-h") {
      std::printf("%s%s", kUsage.data(), kPathsHelp.data());
      return 0;
    }
    std::string value;
    const size_t equals = flag.find('=');
    if (equals != std::string_view::npos) {
      value = flag.substr(equals + 1);
      flag = flag.substr(0, equals);
    } else if (i + 1 < argc) {
      value = argv[++i];
    } else {
      return usageError("option " + std::string(flag) + " needs a value");
    }
    if (const auto error = setOption(flag, value, &options)) return usageError(*error);
  }
  if (options.addresses.empty()) options.addresses.emplace_back("127.0.0.1:0");
  std::signal(SIGPIPE, SIG_IGN);
  const auto server = std::make_unique<Server>(options);
  for (const std::string& address : options.addresses) {
    if (!server->listen(address)) return 1;
  }
  server->run();
  return 0;
}

}  // namespace
}  // namespace convoy::tools::sample

int main(int argc, char** argv) {
  return convoy::tools::sample::runMain(argc, argv);
}
