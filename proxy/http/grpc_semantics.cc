#include "proxy/http/grpc_semantics.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <iterator>

#include "proxy/base/strings.h"

namespace convoy::http {

namespace {

constexpr uint8_t kUnknown = 2;
constexpr uint8_t kDeadlineExceeded = 4;
constexpr uint8_t kPermissionDenied = 7;
constexpr uint8_t kUnimplemented = 12;
constexpr uint8_t kInternal = 13;
constexpr uint8_t kUnavailable = 14;
constexpr uint8_t kUnauthenticated = 16;

struct StatusName {
  std::string_view camel;
  std::string_view snake;
};
constexpr StatusName kNames[] = {
    {"OK", "OK"},
    {"Canceled", "CANCELLED"},
    {"Unknown", "UNKNOWN"},
    {"InvalidArgument", "INVALID_ARGUMENT"},
    {"DeadlineExceeded", "DEADLINE_EXCEEDED"},
    {"NotFound", "NOT_FOUND"},
    {"AlreadyExists", "ALREADY_EXISTS"},
    {"PermissionDenied", "PERMISSION_DENIED"},
    {"ResourceExhausted", "RESOURCE_EXHAUSTED"},
    {"FailedPrecondition", "FAILED_PRECONDITION"},
    {"Aborted", "ABORTED"},
    {"OutOfRange", "OUT_OF_RANGE"},
    {"Unimplemented", "UNIMPLEMENTED"},
    {"Internal", "INTERNAL"},
    {"Unavailable", "UNAVAILABLE"},
    {"DataLoss", "DATA_LOSS"},
    {"Unauthenticated", "UNAUTHENTICATED"},
};

std::optional<event::Duration> unitOf(char unit) {
  using std::chrono::duration_cast;
  switch (unit) {
    case 'H':
      return std::chrono::hours(1);
    case 'M':
      return std::chrono::minutes(1);
    case 'S':
      return std::chrono::seconds(1);
    case 'm':
      return std::chrono::milliseconds(1);
    case 'u':
      return duration_cast<event::Duration>(std::chrono::microseconds(1));
    case 'n':
      return duration_cast<event::Duration>(std::chrono::nanoseconds(1));
    default:
      return std::nullopt;
  }
}

// Digits only, all of them.
std::optional<uint32_t> number(std::string_view text, size_t most_digits) {
  uint32_t value = 0;
  const char* const end = text.data() + text.size();
  if (text.empty() || text.size() > most_digits || text[0] == '+') return std::nullopt;
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

bool isPlain(char c) {
  return c >= 0x20 && c <= 0x7e && c != '%';
}

}  // namespace

bool isGrpc(const RequestHead& head) {
  constexpr std::string_view kType = "application/grpc";
  const HeaderField* const type = head.headers.find(HeaderName::ContentType);
  if (type == nullptr || !base::equalsIgnoreCase(type->value.substr(0, kType.size()), kType)) {
    return false;
  }
  const std::string_view rest = type->value.substr(kType.size());
  return rest.empty() || rest[0] == '+' || rest[0] == ';' || rest[0] == ' ';
}

std::optional<event::Duration> grpcTimeout(const RequestHead& head) {
  const HeaderField* const field = head.headers.find("grpc-timeout");
  if (field == nullptr || field->value.size() < 2) return std::nullopt;
  const std::string_view value = field->value;
  // The longest, 99999999 hours, does not fit into 63 bits of nanoseconds.
  constexpr int64_t kMostHours = 24 * 365 * 100;
  const auto count = number(value.substr(0, value.size() - 1), 8);
  const auto unit = unitOf(value.back());
  if (!count.has_value() || !unit.has_value()) return std::nullopt;
  const int64_t most = std::chrono::duration_cast<event::Duration>(std::chrono::hours(kMostHours)) /
                       std::max(*unit, event::Duration(1));
  return *unit * std::min(int64_t{*count}, most);
}

std::optional<uint8_t> grpcStatus(const HeaderList& fields) {
  const HeaderField* const field = fields.find("grpc-status");
  if (field == nullptr) return std::nullopt;
  const auto status = number(field->value, 3);
  if (!status.has_value() || *status > UINT8_MAX) return std::nullopt;
  return static_cast<uint8_t>(*status);
}

uint8_t grpcStatusOf(uint16_t http_status, Failure failure) {
  if (failure == Failure::MaxStreamDuration) return kDeadlineExceeded;
  switch (http_status) {
    case 400:
      return kInternal;
    case 401:
      return kUnauthenticated;
    case 403:
      return kPermissionDenied;
    case 404:
      return kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return kUnavailable;
    default:
      return kUnknown;
  }
}

uint16_t httpStatusOf(uint8_t grpc_status) {
  constexpr uint16_t kStatuses[] = {200, 499, 500, 400, 504, 404, 409, 403, 429,
                                    400, 409, 400, 501, 500, 503, 500, 401};
  return grpc_status < std::size(kStatuses) ? kStatuses[grpc_status] : uint16_t{500};
}

std::string_view grpcStatusName(uint8_t status) {
  return status < std::size(kNames) ? kNames[status].camel : std::string_view();
}

std::string_view grpcStatusSnakeName(uint8_t status) {
  return status < std::size(kNames) ? kNames[status].snake : std::string_view();
}

std::string_view grpcMessage(std::string_view text, base::Arena& arena) {
  constexpr char kHex[] = "0123456789ABCDEF";
  size_t size = 0;
  for (const char c : text) size += isPlain(c) ? 1 : 3;
  if (size == 0) return {};
  char* const begin = arena.allocate(size);
  char* at = begin;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (isPlain(c)) {
      *at++ = c;
    } else {
      *at++ = '%';
      *at++ = kHex[byte >> 4];
      *at++ = kHex[byte & 15];
    }
  }
  return {begin, size};
}

}  // namespace convoy::http
