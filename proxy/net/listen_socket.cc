#include "proxy/net/listen_socket.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "proxy/base/assert.h"
#include "proxy/base/strings.h"

namespace convoy::net {

namespace {

std::string_view wayOut(const Address& address, int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return address.family() == Address::Family::Unix
                 ? "; let the proxy's user write to the socket's directory"
                 : "; ports below 1024 need root or the capability CAP_NET_BIND_SERVICE";
    case EADDRINUSE:
      return "; another process listens there: stop it or choose another address";
    case EADDRNOTAVAIL:
      return "; this machine has no such address: use one of its own, or 0.0.0.0 or [::] for all";
    case EAFNOSUPPORT:
      return "; this machine has no IPv6";
    case ENOENT:
    case ENOTDIR:
      return "; create the socket's directory";
    case EMFILE:
    case ENFILE:
      return "; raise the limit of open files (ulimit -Hn)";
    default:
      return "";
  }
}

absl::Status cannotListen(const Address& address, int error) {
  std::string reason = std::generic_category().message(error);
  reason[0] = base::asciiLower(reason[0]);
  reason += wayOut(address, error);
  return absl::FailedPreconditionError("cannot listen on " + address.text() + ": " + reason);
}

absl::Status cannotListen(const Address& address, std::string_view why) {
  return absl::FailedPreconditionError("cannot listen on " + address.text() + ": " +
                                       std::string(why));
}

Address boundAddress(int fd) {
  sockaddr_storage storage;
  socklen_t length = sizeof(storage);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return Address();
  return Address::fromSockaddr(reinterpret_cast<sockaddr*>(&storage), length);
}

void turnOn(int fd, int level, int option, int value = 1) {
  ::setsockopt(fd, level, option, &value, sizeof(value));
}

// Opened and bound, not listening.
absl::StatusOr<ListenSocket> bindSocket(const Address& address, const ListenOptions& options,
                                        bool shared_port) {
  sockaddr_storage storage;
  const socklen_t length = address.toSockaddr(&storage);
  const int fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return cannotListen(address, errno);
  ListenSocket socket(fd, address);
  if (address.isIp()) {
    turnOn(fd, SOL_SOCKET, SO_REUSEADDR);
    // Accepted sockets inherit it, which saves a call for each.
    turnOn(fd, IPPROTO_TCP, TCP_NODELAY);
    if (shared_port) turnOn(fd, SOL_SOCKET, SO_REUSEPORT);
    if (address.family() == Address::Family::Ipv6) {
      turnOn(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv4_compat ? 0 : 1);
    }
  }
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&storage), length) != 0) {
    return cannotListen(address, errno);
  }
  socket.setAddress(boundAddress(fd));
  return socket;
}

absl::StatusOr<ListenSocket> listenTcp(const Address& address, const ListenOptions& options,
                                       bool shared_port) {
  absl::StatusOr<ListenSocket> socket = bindSocket(address, options, shared_port);
  if (!socket.ok()) return socket;
  if (::listen(socket->fd(), options.backlog) != 0) return cannotListen(address, errno);
  socket->setSole();
  return socket;
}

// A path that exists: a living server's, a dead one's, or something else altogether.
absl::Status clearUnixPath(const Address& address) {
  const std::string path(address.unixPath());
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return absl::OkStatus();  // bind() reports the rest
  if (!S_ISSOCK(status.st_mode)) {
    return cannotListen(address, "the path exists and is no socket; remove it or choose another");
  }
  sockaddr_storage storage;
  const socklen_t length = address.toSockaddr(&storage);
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return cannotListen(address, errno);
  const int result = ::connect(probe, reinterpret_cast<const sockaddr*>(&storage), length);
  const int error = result == 0 ? 0 : errno;
  ::close(probe);
  if (error != ECONNREFUSED) return cannotListen(address, EADDRINUSE);
  if (::unlink(path.c_str()) != 0) return cannotListen(address, errno);
  return absl::OkStatus();
}

absl::StatusOr<ListenSocket> listenUnix(const Address& address, const ListenOptions& options) {
  const bool has_path = !address.unixPath().starts_with('@');
  if (has_path) {
    if (absl::Status cleared = clearUnixPath(address); !cleared.ok()) return cleared;
  }
  absl::StatusOr<ListenSocket> socket = bindSocket(address, options, /*shared_port=*/false);
  if (!socket.ok()) return socket;
  if (has_path) {
    socket->setFile(std::make_shared<const UnixSocketFile>(std::string(address.unixPath())));
  }
  // Before listen(): until then nobody can connect with the wrong permissions.
  if (has_path && options.unix_mode.has_value() &&
      ::chmod(std::string(address.unixPath()).c_str(), *options.unix_mode) != 0) {
    return cannotListen(address, errno);
  }
  if (::listen(socket->fd(), options.backlog) != 0) return cannotListen(address, errno);
  return socket;
}

// Every worker gets one: its own while there are enough, else another handle of one that exists.
absl::StatusOr<WorkerSockets> spread(std::vector<ListenSocket> sockets, size_t workers) {
  WorkerSockets result(workers);
  const size_t count = sockets.size();
  CONVOY_ASSERT(count > 0 && workers > 0);
  for (size_t i = count; i < workers; ++i) {
    absl::StatusOr<ListenSocket> copy = sockets[i % count].duplicate();
    if (!copy.ok()) return copy.status();
    sockets.push_back(*std::move(copy));
  }
  for (size_t i = 0; i < sockets.size(); ++i) {
    result[i % workers].push_back(std::move(sockets[i]));
  }
  return result;
}

bool parseNumber(const char* text, int* number) {
  const std::string_view view(text);
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), *number);
  return error == std::errc() && end == view.data() + view.size();
}

}  // namespace

UnixSocketFile::UnixSocketFile(std::string path) : path_(std::move(path)) {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) != 0) return;
  device_ = status.st_dev;
  inode_ = status.st_ino;
}

UnixSocketFile::~UnixSocketFile() {
  struct stat status {};
  if (::lstat(path_.c_str(), &status) != 0) return;
  if (status.st_dev == device_ && status.st_ino == inode_) ::unlink(path_.c_str());
}

ListenSocket::ListenSocket(ListenSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      address_(std::move(other.address_)),
      file_(std::move(other.file_)),
      sole_(other.sole_) {}

ListenSocket& ListenSocket::operator=(ListenSocket&& other) noexcept {
  if (this == &other) return *this;
  close();
  fd_ = std::exchange(other.fd_, -1);
  address_ = std::move(other.address_);
  file_ = std::move(other.file_);
  sole_ = other.sole_;
  return *this;
}

// The file goes first: who finds it finds somebody who listens.
void ListenSocket::close() {
  file_.reset();
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

absl::StatusOr<ListenSocket> ListenSocket::duplicate() const {
  const int fd = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return cannotListen(address_, errno);
  ListenSocket copy(fd, address_);
  copy.setFile(file_);
  return copy;
}

bool ListenSocket::dropNewHandshakes() const {
  if (!sole_) return false;
  // The filter sees packets from their TCP header on. Byte 13 has the flags: SYN without ACK opens.
  constexpr uint32_t kFlagsAt = 13;
  constexpr uint32_t kSynAndAck = 0x12;
  constexpr uint32_t kSyn = 0x02;
  constexpr uint32_t kWhole = 0xffffffff;
  sock_filter steps[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlagsAt),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kSynAndAck),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kSyn, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, kWhole),
  };
  const sock_fprog program = {.len = sizeof(steps) / sizeof(steps[0]), .filter = steps};
  return ::setsockopt(fd_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

absl::StatusOr<AdoptedSockets> AdoptedSockets::fromEnvironment(int first_descriptor) {
  AdoptedSockets adopted;
  const char* const pid = std::getenv("LISTEN_PID");
  const char* const count = std::getenv("LISTEN_FDS");
  const char* const names = std::getenv("LISTEN_FDNAMES");
  int number = 0;
  const bool ours = pid != nullptr && count != nullptr && parseNumber(pid, &number) &&
                    number == static_cast<int>(::getpid());
  if (!ours) return adopted;  // meant for another process, or for nobody
  int descriptors = 0;
  if (!parseNumber(count, &descriptors) || descriptors < 0) {
    return absl::InvalidArgumentError("LISTEN_FDS is \"" + std::string(count) +
                                      "\": it must be the number of passed sockets");
  }
  std::string_view rest = names == nullptr ? "" : names;
  for (int i = 0; i < descriptors; ++i) {
    const int fd = first_descriptor + i;
    const size_t colon = rest.find(':');
    const std::string name(rest.substr(0, colon));
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
    int type = 0;
    int listening = 0;
    socklen_t length = sizeof(int);
    const bool usable =
        ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM &&
        ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening != 0;
    if (!usable) {
      return absl::InvalidArgumentError("LISTEN_FDS passes descriptor " + std::to_string(fd) +
                                        (name.empty() ? "" : " (\"" + name + "\")") +
                                        ", which is no listening stream socket");
    }
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    turnOn(fd, IPPROTO_TCP, TCP_NODELAY);  // refused by unix sockets, which need none
    adopted.sockets_.push_back({name, ListenSocket(fd, boundAddress(fd))});
  }
  for (const char* const variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
    ::unsetenv(variable);
  }
  return adopted;
}

std::vector<ListenSocket> AdoptedSockets::take(const Address& address) {
  std::vector<ListenSocket> taken;
  std::vector<Named> kept;
  for (Named& named : sockets_) {
    if (named.socket.address() == address) {
      taken.push_back(std::move(named.socket));
    } else {
      kept.push_back(std::move(named));
    }
  }
  sockets_ = std::move(kept);
  return taken;
}

std::vector<std::string> AdoptedSockets::unclaimed() const {
  std::vector<std::string> result;
  for (const Named& named : sockets_) {
    const std::string address = named.socket.address().text();
    result.push_back(named.name.empty() ? address : named.name + " (" + address + ")");
  }
  return result;
}

absl::StatusOr<WorkerSockets> openListenSockets(const Address& address, size_t workers,
                                                const ListenOptions& options,
                                                AdoptedSockets& adopted) {
  std::vector<ListenSocket> sockets = adopted.take(address);
  if (!sockets.empty()) return spread(std::move(sockets), workers);
  if (address.family() == Address::Family::Unix) {
    absl::StatusOr<ListenSocket> socket = listenUnix(address, options);
    if (!socket.ok()) return socket.status();
    sockets.push_back(*std::move(socket));
    return spread(std::move(sockets), workers);
  }
  if (!address.isIp()) return cannotListen(address, "there is no address");
  // Sharing a port is for our own workers: a second process on it would take half of the traffic
  // without anybody noticing. A socket that does not share finds out; alone it stays, so that of
  // two processes that start at once one is refused, and to several it makes way.
  if (workers == 1) {
    absl::StatusOr<ListenSocket> socket = listenTcp(address, options, /*shared_port=*/false);
    if (!socket.ok()) return socket.status();
    sockets.push_back(*std::move(socket));
    return spread(std::move(sockets), workers);
  }
  absl::StatusOr<ListenSocket> probe = bindSocket(address, options, /*shared_port=*/false);
  if (!probe.ok()) return probe.status();
  { const ListenSocket closed = *std::move(probe); }
  Address bound = address;
  for (size_t i = 0; i < workers; ++i) {
    absl::StatusOr<ListenSocket> socket = listenTcp(bound, options, /*shared_port=*/true);
    if (!socket.ok()) return socket.status();
    bound = socket->address();
    sockets.push_back(*std::move(socket));
  }
  return spread(std::move(sockets), workers);
}

}  // namespace convoy::net
