#include "tools/ctl/yaml_writer.h"

#include <algorithm>
#include <cctype>
#include <variant>

#include "google/protobuf/util/json_util.h"
#include "proxy/config/json_document.h"

namespace convoy::tools::ctl {

namespace {

using config::DocumentNode;
using Kind = config::DocumentNode::Kind;

bool isWord(std::string_view text) {
  static constexpr std::string_view kReserved[] = {"true", "false", "null", "yes", "no",  "on",
                                                   "off",  "y",     "n",    "nan", "inf", ".nan"};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(std::begin(kReserved), std::end(kReserved), lower) == std::end(kReserved);
}

bool isPlain(std::string_view text) {
  constexpr std::string_view kSafe =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@+-";
  if (text.empty() || text.find_first_not_of(kSafe) != std::string_view::npos) return false;
  if (text.back() == ':') return false;
  const char first = text.front();
  if (std::isalpha(static_cast<unsigned char>(first)) || first == '/') return isWord(text);
  // An address or a duration; anything else that begins with a digit might be a number or a date.
  if (!std::isdigit(static_cast<unsigned char>(first))) return false;
  return std::count(text.begin(), text.end(), '.') >= 2 || text.back() == 's';
}

std::string quoted(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

class Writer {
 public:
  // At the start of a line. A list in a map stands as far left as the map's keys.
  void write(const DocumentNode& node, int indent) {
    if (node.kind == Kind::Map) {
      for (const config::DocumentEntry& entry : node.entries) writeEntry(entry, indent);
    } else if (node.kind == Kind::List) {
      for (const auto& item : node.items) writeItem(*item, indent);
    } else {
      pad(indent);
      out_ += leaf(node) + "\n";
    }
  }
  std::string take() { return std::move(out_); }

 private:
  void pad(int indent) {
    if (!out_.empty() && out_.back() == ' ') return;  // behind the dash of a list
    out_.append(static_cast<size_t>(indent), ' ');
  }
  static bool isLeaf(const DocumentNode& node) {
    return (node.kind != Kind::Map || node.entries.empty()) &&
           (node.kind != Kind::List || node.items.empty());
  }
  static std::string leaf(const DocumentNode& node) {
    if (node.kind == Kind::Map) return "{}";
    if (node.kind == Kind::List) return "[]";
    if (node.kind == Kind::Null) return "null";
    return node.plain ? node.text : yamlScalar(node.text);
  }
  void writeEntry(const config::DocumentEntry& entry, int indent) {
    pad(indent);
    out_ += yamlScalar(entry.key) + ":";
    if (isLeaf(*entry.value)) {
      out_ += " " + leaf(*entry.value) + "\n";
      return;
    }
    out_ += "\n";
    write(*entry.value, entry.value->kind == Kind::List ? indent : indent + 2);
  }
  void writeItem(const DocumentNode& node, int indent) {
    pad(indent);
    out_ += "- ";
    if (isLeaf(node)) {
      out_ += leaf(node) + "\n";
    } else {
      write(node, indent + 2);
    }
  }

  std::string out_;
};

}  // namespace

std::string toJson(const google::protobuf::Message& message, JsonStyle style) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = style == JsonStyle::Indented;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) return "";
  if (json.empty() || json.back() != '\n') json += '\n';
  return json;
}

std::string toYaml(const google::protobuf::Message& message) {
  const config::DocumentResult document =
      config::parseJson(toJson(message, JsonStyle::OneLine), config::DocumentLimits());
  const auto* root = std::get_if<config::DocumentRoot>(&document);
  if (root == nullptr) return "";
  Writer writer;
  writer.write(**root, 0);
  std::string text = writer.take();
  return text.empty() ? "{}\n" : text;
}

std::string yamlScalar(std::string_view text) {
  return isPlain(text) ? std::string(text) : quoted(text);
}

}  // namespace convoy::tools::ctl
