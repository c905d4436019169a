#include "proxy/config/values.h"

#include <fcntl.h>
#include <re2/re2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <utility>

namespace convoy::config {
namespace {

namespace core = envoy::config::core::v3;

std::optional<net::Address> checked(absl::StatusOr<net::Address> address, std::string_view field,
                                    std::string_view value, base::FieldReport& report) {
  if (address.ok()) return *std::move(address);
  const absl::string_view message = address.status().message();
  report.error(field, "address", value, std::string(message.data(), message.size()));
  return std::nullopt;
}

// What is wrong with a file of that name; null: nothing.
struct FileError {
  const char* rule = nullptr;
  std::string reason;
};

FileError unreadable() {
  return {"not_found", std::string("the file cannot be read: ") + std::strerror(errno)};
}

FileError readOpen(int fd, size_t max_bytes, std::string* text) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return unreadable();
  if (!S_ISREG(status.st_mode)) {
    return {"not_regular", "must name a regular file, no folder, FIFO, socket or device"};
  }
  text->resize(max_bytes + 1);
  size_t length = 0;
  ssize_t got = 1;
  while (got != 0 && length < text->size()) {
    got = ::read(fd, text->data() + length, text->size() - length);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable();
    length += static_cast<size_t>(got);
  }
  text->resize(length);
  return {};
}

// At most max_bytes + 1. The name comes with configuration, perhaps of a control plane: to open a
// FIFO would be to wait for its writer, and a device may never end.
FileError readFile(const std::string& path, size_t max_bytes, std::string* text) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return unreadable();
  FileError error = readOpen(fd, max_bytes, text);
  ::close(fd);
  return error;
}

}  // namespace

Milliseconds toMilliseconds(const google::protobuf::Duration& duration, std::string_view field,
                            base::FieldReport& report) {
  constexpr int64_t kMaxSeconds = 315'576'000'000;
  // As good as for ever: a clock that counts nanoseconds goes on for 292 years.
  constexpr int64_t kMostSeconds = 3'155'760'000;
  const int64_t seconds = duration.seconds();
  const int64_t nanos = duration.nanos();
  if (seconds < 0 || nanos < 0 || seconds > kMaxSeconds || nanos > 999'999'999) {
    report.error(field, "range", std::to_string(seconds) + "s",
                 "must be a duration from 0 to 315576000000s");
    return Milliseconds(0);
  }
  if (seconds >= kMostSeconds) return std::chrono::seconds(kMostSeconds);
  return Milliseconds(seconds * 1000 + (nanos + 999'999) / 1'000'000);
}

std::optional<net::Address> toAddress(const core::SocketAddress& proto, Port port,
                                      base::FieldReport& report) {
  if (proto.protocol() != core::SocketAddress::TCP) {
    report.error("protocol", "unsupported_value", "UDP", "only TCP is supported so far");
    return std::nullopt;
  }
  if (proto.port_value() > 65535) return std::nullopt;  // validate.rules has said so
  if (port == Port::NotZero && proto.port_value() == 0) {
    report.error("port_value", "range", "0", "must be a port from 1 to 65535");
    return std::nullopt;
  }
  return checked(net::Address::fromIp(proto.address(), static_cast<uint16_t>(proto.port_value())),
                 "address", proto.address(), report);
}

std::optional<net::Address> toAddress(const core::Address& proto, Port port,
                                      base::FieldReport& report) {
  switch (proto.address_case()) {
    case core::Address::kSocketAddress: {
      auto at = report.in("socket_address");
      return toAddress(proto.socket_address(), port, report);
    }
    case core::Address::kPipe: {
      auto at = report.in("pipe");
      return checked(net::Address::fromUnixPath(proto.pipe().path()), "path", proto.pipe().path(),
                     report);
    }
    default:  // refused by the field table, or by validate.rules when absent
      return std::nullopt;
  }
}

std::optional<net::CidrRange> toCidrRange(const core::CidrRange& proto, base::FieldReport& report) {
  std::optional<net::Address> address = checked(net::Address::fromIp(proto.address_prefix(), 0),
                                                "address_prefix", proto.address_prefix(), report);
  if (!address.has_value()) return std::nullopt;
  const uint32_t most = address->family() == net::Address::Family::Ipv4 ? 32 : 128;
  if (proto.prefix_len().value() > most) {
    report.error("prefix_len", "range", std::to_string(proto.prefix_len().value()),
                 "must be at most " + std::to_string(most));
    return std::nullopt;
  }
  return net::CidrRange{*std::move(address), static_cast<uint8_t>(proto.prefix_len().value())};
}

uint32_t toMillionths(const envoy::type::v3::FractionalPercent& proto) {
  uint64_t scale = 10'000;  // HUNDRED
  if (proto.denominator() == envoy::type::v3::FractionalPercent::TEN_THOUSAND) scale = 100;
  if (proto.denominator() == envoy::type::v3::FractionalPercent::MILLION) scale = 1;
  return static_cast<uint32_t>(std::min<uint64_t>(1'000'000, proto.numerator() * scale));
}

std::string readDataSource(const core::DataSource& proto, size_t max_bytes, const Context& context,
                           base::FieldReport& report) {
  std::string text;
  std::string_view field = "inline_string";
  switch (proto.specifier_case()) {
    case core::DataSource::kInlineString:
      text = proto.inline_string();
      break;
    case core::DataSource::kInlineBytes:
      field = "inline_bytes";
      text = proto.inline_bytes();
      break;
    case core::DataSource::kFilename: {
      field = "filename";
      if (!context.read_files) return text;
      FileError error = readFile(proto.filename(), max_bytes, &text);
      if (error.rule != nullptr) {
        report.error(field, error.rule, proto.filename(), std::move(error.reason));
        return {};
      }
      break;
    }
    case core::DataSource::kEnvironmentVariable: {
      field = "environment_variable";
      if (!context.read_files) return text;
      const char* value = std::getenv(proto.environment_variable().c_str());
      if (value == nullptr) {
        report.error(field, "not_found", proto.environment_variable(),
                     "the environment variable is not set");
        return text;
      }
      text = value;
      break;
    }
    case core::DataSource::SPECIFIER_NOT_SET:
      return text;
  }
  if (text.size() > max_bytes) {
    report.error(field, "too_large", "", "is larger than " + std::to_string(max_bytes) + " bytes");
    text.clear();
  }
  return text;
}

void checkRegex(const std::string& regex, std::string_view field, base::FieldReport& report) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  const RE2 compiled(regex, options);
  if (!compiled.ok()) {
    report.error(field, "regex", regex, "is no regular expression of RE2: " + compiled.error());
  }
}

std::optional<route::StringMatch> toStringMatch(
    const envoy::type::matcher::v3::StringMatcher& proto, base::FieldReport& report) {
  using Proto = envoy::type::matcher::v3::StringMatcher;
  using Kind = route::StringMatch::Kind;
  switch (proto.match_pattern_case()) {
    case Proto::kExact:
      return route::StringMatch{Kind::Exact, proto.exact(), proto.ignore_case()};
    case Proto::kPrefix:
      return route::StringMatch{Kind::Prefix, proto.prefix(), proto.ignore_case()};
    case Proto::kSuffix:
      return route::StringMatch{Kind::Suffix, proto.suffix(), proto.ignore_case()};
    case Proto::kContains:
      return route::StringMatch{Kind::Contains, proto.contains(), proto.ignore_case()};
    case Proto::kSafeRegex:
      checkRegex(proto.safe_regex().regex(), "safe_regex.regex", report);
      // Envoy: ignore_case has no effect on a regular expression.
      return route::StringMatch{Kind::Regex, proto.safe_regex().regex(), false};
    default:
      return std::nullopt;
  }
}

Milliseconds toFetchTimeout(const core::ConfigSource& proto, base::FieldReport& report) {
  constexpr Milliseconds kEnvoys{15'000};
  if (proto.config_source_specifier_case() != core::ConfigSource::kAds &&
      proto.config_source_specifier_case() != core::ConfigSource::CONFIG_SOURCE_SPECIFIER_NOT_SET) {
    return kEnvoys;  // refused by the field table
  }
  if (proto.resource_api_version() == core::V2) {
    report.error("resource_api_version", "unsupported_value", "V2", "write V3");
  }
  if (!proto.has_initial_fetch_timeout()) return kEnvoys;
  // Longer ones, which are as good as for ever, could not be counted in nanoseconds.
  constexpr Milliseconds kLongest = std::chrono::hours(24 * 365);
  return std::min(kLongest,
                  toMilliseconds(proto.initial_fetch_timeout(), "initial_fetch_timeout", report));
}

}  // namespace convoy::config
