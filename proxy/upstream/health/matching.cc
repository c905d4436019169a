#include "proxy/upstream/health/matching.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "proxy/base/strings.h"

namespace convoy::upstream {

namespace {

using google::protobuf::Value;
using google::protobuf::internal::WireFormatLite;

constexpr size_t kShownBytes = 64;

}  // namespace

bool containsInOrder(std::string_view bytes, const std::vector<std::string>& pieces) {
  for (const std::string& piece : pieces) {
    const size_t found = bytes.find(piece);
    if (found == std::string_view::npos) return false;
    bytes.remove_prefix(found + piece.size());
  }
  return true;
}

bool inRanges(uint16_t status, const std::vector<StatusRange>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(), [status](const StatusRange& range) {
    return status >= range.from && status < range.to;
  });
}

std::string shown(std::string_view bytes) {
  std::string text(bytes.substr(0, kShownBytes));
  for (char& c : text) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  if (bytes.size() > kShownBytes) text += "...";
  return text;
}

std::optional<std::string> faultInReport(std::string_view json) {
  google::protobuf::Struct report;
  if (!google::protobuf::util::JsonStringToMessage(std::string(json), &report).ok()) {
    return "the body is no JSON object";
  }
  const auto& fields = report.fields();
  const auto status = fields.find("status");
  if (status == fields.end() || status->second.kind_case() != Value::kStringValue) {
    return "the body has no \"status\"";
  }
  if (status->second.string_value() != "healthy") {
    return absl::StrCat("the body says status ", shown(status->second.string_value()));
  }
  const auto checks = fields.find("checks");
  if (checks == fields.end()) return std::nullopt;
  if (checks->second.kind_case() != Value::kStructValue) {
    return "\"checks\" of the body is no JSON object";
  }
  // The first by name, so that the reason does not change from check to check.
  const std::string* failed = nullptr;
  for (const auto& [name, value] : checks->second.struct_value().fields()) {
    const bool ok = value.kind_case() == Value::kStringValue && value.string_value() == "ok";
    if (!ok && (failed == nullptr || name < *failed)) failed = &name;
  }
  if (failed == nullptr) return std::nullopt;
  return absl::StrCat("the body says that check ", shown(*failed), " is not ok");
}

std::string encodeHealthRequest(std::string_view service) {
  std::string bytes;
  if (service.empty()) return bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream out(&stream);
  WireFormatLite::WriteString(1, std::string(service), &out);
  return bytes;
}

std::optional<uint64_t> decodeServingStatus(std::string_view message) {
  google::protobuf::io::CodedInputStream in(reinterpret_cast<const uint8_t*>(message.data()),
                                            static_cast<int>(message.size()));
  uint64_t status = 0;  // UNKNOWN, when it is left out
  while (const uint32_t tag = in.ReadTag()) {
    const bool is_status = tag == WireFormatLite::MakeTag(1, WireFormatLite::WIRETYPE_VARINT);
    if (is_status ? !in.ReadVarint64(&status) : !WireFormatLite::SkipField(&in, tag)) {
      return std::nullopt;
    }
  }
  if (!in.ConsumedEntireMessage()) return std::nullopt;
  return status;
}

}  // namespace convoy::upstream
