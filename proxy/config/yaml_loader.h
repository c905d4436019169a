#pragma once

// YAML or JSON text to a protobuf message, with file, line and column for every error, now and
// later: checks that look at the message name a field path, and sources->find() says where that
// stands. Used by convoy-proxy and convoyctl. Depends on base and protobuf only. No exceptions
// leave it.

#include <cstddef>
#include <istream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/message.h"
#include "proxy/base/field_report.h"
#include "proxy/config/document.h"
#include "proxy/config/message_reader.h"

namespace convoy::config {

struct LocatedError {
  std::string file;
  Position position;  // of the field, or of the nearest one above it that the text has
  base::FieldError error;

  // "envoy.yaml:12:5: static_resources.listeners[0].addres: ... (unknown_field: addres)"
  std::string text() const;
};

// Where the fields of a loaded message stand in its file.
class SourceMap {
 public:
  SourceMap(std::string file, DocumentRoot root) : file_(std::move(file)), root_(std::move(root)) {}

  const std::string& file() const { return file_; }
  // The file says nothing: it has blanks and comments only, or null.
  bool empty() const { return root_->kind == DocumentNode::Kind::Null; }
  Position find(std::string_view field_path) const { return findPosition(*root_, field_path); }
  LocatedError locate(base::FieldError error) const;
  std::vector<LocatedError> locate(std::vector<base::FieldError> errors) const;

 private:
  std::string file_;
  DocumentRoot root_;
};

struct LoadOptions {
  DocumentLimits limits;
  ReadOptions read;
};

struct Loaded {
  std::vector<LocatedError> errors;  // at most FieldReport::kMaxErrors
  uint64_t error_count = 0;
  std::shared_ptr<const SourceMap> sources;  // never null
  bool ok() const { return error_count == 0; }
};

// More than any configuration that a person or a program writes; what has no end, such as
// /dev/zero, ends there.
constexpr size_t kMaxFileBytes = size_t{64} << 20;

// All that the stream has; null if that is more than a file may have. Whether reading failed, the
// stream says (bad()).
std::optional<std::string> readText(std::istream& in);

// Fills `message`, which must be of a generated type. Text that begins with "{" or "[", or whose
// file is named .json, is JSON if it can be. With errors, the message holds what could be read.
Loaded loadYaml(std::string_view text, std::string_view file, google::protobuf::Message* message,
                const LoadOptions& options = {});

// One line per error, ending with how many more there are.
std::string describeErrors(const std::vector<LocatedError>& errors, uint64_t error_count);

}  // namespace convoy::config
