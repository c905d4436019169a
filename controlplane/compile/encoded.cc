#include "controlplane/compile/encoded.h"

#include <utility>

#include "controlplane/base/hash.h"
#include "controlplane/base/proto_bytes.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace convoy::controlplane::compile {

namespace {

using google::protobuf::io::CodedOutputStream;
using google::protobuf::io::StringOutputStream;

// Field numbers of Any, Resource and the responses, all of them length-delimited.
constexpr int kAnyTypeUrl = 1;
constexpr int kAnyValue = 2;
constexpr int kResourceVersion = 1;
constexpr int kResourceResource = 2;
constexpr int kResourceName = 3;
constexpr int kResponseResources = 2;
static_assert(kResourceResource == kResponseResources, "the tail of `delta` serves both");

std::string field(int number, absl::string_view value) {
  constexpr uint32_t kLengthDelimited = 2;
  std::string bytes;
  StringOutputStream stream(&bytes);
  CodedOutputStream out(&stream);
  out.WriteVarint32(static_cast<uint32_t>(number) << 3 | kLengthDelimited);
  out.WriteVarint32(static_cast<uint32_t>(value.size()));
  out.WriteRaw(value.data(), static_cast<int>(value.size()));
  out.Trim();
  return bytes;
}

}  // namespace

EncodedPtr encode(Type type, absl::string_view name, const google::protobuf::Message& resource,
                  std::vector<std::string> secrets) {
  const std::string value = deterministicBytes(resource);
  auto encoded = std::make_shared<Encoded>();
  encoded->name = std::string(name);
  encoded->version = contentHashText(value);
  const std::string tail =
      field(kResponseResources, field(kAnyTypeUrl, typeUrl(type)) + field(kAnyValue, value));
  const std::string delta = field(kResponseResources, field(kResourceVersion, encoded->version) +
                                                          field(kResourceName, name) + tail);
  encoded->delta = grpc::Slice(delta);
  encoded->whole_state = encoded->delta.sub(delta.size() - tail.size(), delta.size());
  encoded->secrets = std::move(secrets);
  return encoded;
}

EncodedPtr encodedElsewhere(absl::string_view name, absl::string_view version) {
  auto encoded = std::make_shared<Encoded>();
  encoded->name = std::string(name);
  encoded->version = std::string(version);
  return encoded;
}

}  // namespace convoy::controlplane::compile
