#include "proxy/config/field_table.h"

#include <set>

#include "proxy/base/strings.h"

namespace convoy::config {

// fields.txt, made into C++ by the build.
extern const char kFieldsText[];

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

std::string_view trimmed(std::string_view text) {
  return base::trimmed(text, " \t\r");
}

// Takes the first word off.
std::string_view takeWord(std::string_view* text) {
  const size_t end = std::min(text->find(' '), text->size());
  const std::string_view word = text->substr(0, end);
  *text = trimmed(text->substr(end));
  return word;
}

bool parseClass(std::string_view text, FieldEntry* entry) {
  const size_t colon = text.find(':');
  std::string_view head = trimmed(text.substr(0, colon));
  if (colon != std::string_view::npos) entry->reason = trimmed(text.substr(colon + 1));
  const std::string_view name = takeWord(&head);
  if (name == "honoured") {
    entry->field_class = FieldClass::Honoured;
    return head.empty();
  }
  if (entry->reason.empty()) return false;
  if (name == "no-effect") {
    entry->field_class = FieldClass::NoEffect;
    return head.empty();
  }
  if (name != "refused") return false;
  entry->field_class = FieldClass::Refused;
  if (head.empty()) return true;
  if (takeWord(&head) != "unless") return false;
  entry->harmless = head;
  return !head.empty();
}

const char* className(FieldClass field_class) {
  switch (field_class) {
    case FieldClass::Honoured:
      return "honoured";
    case FieldClass::NoEffect:
      return "without effect";
    case FieldClass::Refused:
      return "refused";
  }
  return "";
}

}  // namespace

const FieldEntry* MessageEntry::find(std::string_view field) const {
  for (const FieldEntry& entry : fields) {
    if (entry.field == field) return &entry;
  }
  return nullptr;
}

const FieldTable& FieldTable::builtin() {
  static const FieldTable* const table = [] {
    std::vector<std::string> errors;
    return new FieldTable(parse(kFieldsText, &errors));
  }();
  return *table;
}

FieldTable FieldTable::parse(std::string_view text, std::vector<std::string>* errors) {
  FieldTable table;
  MessageEntry* message = nullptr;
  int number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.empty() || line.front() == '#') continue;
    const std::string shown = "line " + std::to_string(number) + ": " + std::string(line);
    const std::string_view first = takeWord(&line);
    if (first == "message") {
      const auto [found, fresh] = table.messages_.try_emplace(std::string(line));
      if (!fresh) errors->push_back(shown + ": the message is there already");
      message = &found->second;
      message->type = line;
      continue;
    }
    FieldEntry entry;
    entry.field = first;
    if (message == nullptr || !parseClass(line, &entry)) {
      errors->push_back(shown);
    } else if (message->find(first) != nullptr) {
      errors->push_back(shown + ": the field is there already");
    } else {
      message->fields.push_back(std::move(entry));
    }
  }
  return table;
}

const MessageEntry* FieldTable::find(std::string_view type) const {
  const auto found = messages_.find(type);
  return found == messages_.end() ? nullptr : &found->second;
}

bool isValueType(const Descriptor& type) {
  return type.file()->package() == "google.protobuf";
}

std::vector<const Descriptor*> reachableTypes(const FieldTable& table,
                                              const std::vector<const Descriptor*>& roots) {
  std::vector<const Descriptor*> found;
  std::set<const Descriptor*> seen(roots.begin(), roots.end());
  std::vector<const Descriptor*> waiting(roots);
  while (!waiting.empty()) {
    const Descriptor* type = waiting.back();
    waiting.pop_back();
    found.push_back(type);
    const MessageEntry* entry = table.find(type->full_name());
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor* field = type->field(i);
      if (field->is_map()) field = field->message_type()->map_value();
      const FieldEntry* row = entry == nullptr ? nullptr : entry->find(type->field(i)->name());
      if (row == nullptr || row->field_class != FieldClass::Honoured) continue;
      const Descriptor* inner = field->message_type();
      if (inner != nullptr && !isValueType(*inner) && seen.insert(inner).second) {
        waiting.push_back(inner);
      }
    }
  }
  return found;
}

std::string fieldTableAsMarkdown(const FieldTable& table) {
  std::string text =
      "# Envoy's fields, one by one\n\n"
      "<!-- Generated from proxy/config/fields.txt by `bazel run //tools/fields > "
      "docs/reference/fields.md`. -->\n\n"
      "Every field of every Envoy message that `convoy-proxy` accepts is in one of three "
      "classes:\n\n"
      "- **honoured**: it does what Envoy documents;\n"
      "- **without effect**: accepted, counted, and shown in the node's status; leaving it out "
      "changes nothing that anybody relies on;\n"
      "- **refused**: the resource is refused, by its name and the field's path. *Refused unless "
      "X*: "
      "the value X is what happens anyway, and may be written.\n\n"
      "Messages that are not here are inside of fields without effect or refused ones, or are "
      "extensions that this build does not have.\n";
  for (const auto& [type, message] : table.messages()) {
    text += "\n## " + type + "\n\n";
    if (message.fields.empty()) {
      text += "It has no fields.\n";
      continue;
    }
    text += "| field | class | |\n|---|---|---|\n";
    for (const FieldEntry& field : message.fields) {
      text += "| `" + field.field + "` | " + className(field.field_class);
      if (!field.harmless.empty()) text += " unless `" + field.harmless + "`";
      text += " | " + field.reason + " |\n";
    }
  }
  return text;
}

}  // namespace convoy::config
