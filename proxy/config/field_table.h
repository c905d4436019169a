#pragma once

// The field table: for every field of every Envoy message that we accept, whether it is honoured,
// without effect here, or refused by name, and why. Its text is proxy/config/fields.txt, compiled
// in; docs/reference/fields.md is generated from it. Immutable; any thread.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/descriptor.h"

namespace convoy::config {

enum class FieldClass : uint8_t {
  Honoured,  // means here what Envoy documents
  NoEffect,  // accepted, counted and shown: leaving it out changes nothing that anybody relies on
  Refused,   // by name: it would change what happens, and we cannot do it
};

struct FieldEntry {
  std::string field;  // "listener_filters"
  FieldClass field_class = FieldClass::Refused;
  // A refused field may be set to this value, which is what we do anyway. Empty: there is none.
  std::string harmless;
  std::string reason;  // one line; empty for most honoured fields
};

struct MessageEntry {
  std::string type;  // full name
  std::vector<FieldEntry> fields;

  const FieldEntry* find(std::string_view field) const;
};

class FieldTable {
 public:
  // The compiled-in table.
  static const FieldTable& builtin();

  // The lines of `text`:
  //   message FULL.NAME           begins a message
  //   FIELD honoured [: REASON]
  //   FIELD no-effect: REASON
  //   FIELD refused: REASON
  //   FIELD refused unless VALUE: REASON
  //   # COMMENT, or nothing
  // A line that is none of these goes to `errors`, as do duplicates.
  static FieldTable parse(std::string_view text, std::vector<std::string>* errors);

  // Null: the table does not have the message.
  const MessageEntry* find(std::string_view type) const;
  const std::map<std::string, MessageEntry, std::less<>>& messages() const { return messages_; }

 private:
  std::map<std::string, MessageEntry, std::less<>> messages_;
};

// Messages that are values rather than settings: google.protobuf.*. The table does not look into
// them.
bool isValueType(const google::protobuf::Descriptor& type);

// What a message of one of these types may hold: the types themselves, and the types of their
// honoured fields, and so on.
std::vector<const google::protobuf::Descriptor*> reachableTypes(
    const FieldTable& table, const std::vector<const google::protobuf::Descriptor*>& roots);

// docs/reference/fields.md.
std::string fieldTableAsMarkdown(const FieldTable& table);

}  // namespace convoy::config
