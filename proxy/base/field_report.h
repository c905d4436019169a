#pragma once

// What is wrong with a configuration, field by field, and what it has without effect. Filled while
// a message is checked and converted; the path of the field at hand is kept by scopes:
//
//   auto at = report.in("lb_endpoints", i);
//   report.error("load_balancing_weight", "range", "0", "must be 1 or more");
//
// Field paths are written with the field names of the .proto files:
// `endpoints[0].lb_endpoints[2].endpoint.address`, `filter_metadata["envoy.lb"]`.
// Bounded: the first 100 errors and 1000 notes are kept, all are counted. A field breaks a rule
// once. One thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace convoy::base {

struct FieldError {
  std::string field_path;  // from the resource's root; empty: the resource as a whole
  std::string rule;        // stable identifier, see api/convoy/ext/resource_error.proto
  std::string value;       // at most 256 bytes; never a secret; empty: the field is missing
  std::string hint;        // what is wrong and the way out, as a sentence

  friend bool operator==(const FieldError&, const FieldError&) = default;
};

// A field that is accepted without effect.
struct FieldNote {
  std::string field_path;
  std::string reason;    // why it has none, as a sentence
  bool unknown = false;  // the schema does not know it at all

  friend bool operator==(const FieldNote&, const FieldNote&) = default;
};

class FieldReport {
 public:
  static constexpr size_t kMaxErrors = 100;
  static constexpr size_t kMaxNotes = 1000;
  static constexpr size_t kMaxValueBytes = 256;

  // Leaves the field when destroyed. Scopes end in the reverse order of their beginning.
  class [[nodiscard]] Scope {
   public:
    Scope(FieldReport* report, size_t length) : report_(report), length_(length) {}
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { report_->path_.resize(length_); }

   private:
    FieldReport* report_;
    size_t length_;
  };

  FieldReport() = default;
  FieldReport(const FieldReport&) = delete;
  FieldReport& operator=(const FieldReport&) = delete;

  Scope in(std::string_view field);
  Scope in(std::string_view field, size_t index);
  // A map entry: `field["key"]`.
  Scope in(std::string_view field, std::string_view key);

  // At the field of the innermost scope.
  void error(std::string_view rule, std::string_view value, std::string hint);
  // At a field of the message of the innermost scope.
  void error(std::string_view field, std::string_view rule, std::string_view value,
             std::string hint);
  void note(std::string_view field, std::string reason, bool unknown = false);

  const std::string& path() const { return path_; }
  bool ok() const { return error_count_ == 0; }
  const std::vector<FieldError>& errors() const { return errors_; }
  const std::vector<FieldNote>& notes() const { return notes_; }
  uint64_t errorCount() const { return error_count_; }
  uint64_t noteCount() const { return note_count_; }
  std::vector<FieldError> takeErrors() { return std::move(errors_); }
  std::vector<FieldNote> takeNotes() { return std::move(notes_); }

 private:
  std::string path_;
  std::vector<FieldError> errors_;
  std::vector<FieldNote> notes_;
  uint64_t error_count_ = 0;
  uint64_t note_count_ = 0;
};

// Cut to FieldReport::kMaxValueBytes, between UTF-8 characters, with "..." if cut.
std::string shownValue(std::string_view value);

}  // namespace convoy::base
