#include "tools/reference/api_page.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "google/protobuf/descriptor.h"

namespace convoy::tools::reference {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;
using google::protobuf::ServiceDescriptor;

constexpr std::string_view kIntroduction =
    "# The API, field by field\n\n"
    "<!-- Generated from api/convoy by `bazel run //tools/reference api > docs/reference/api.md`. "
    "-->\n\n"
    "What `convoyctl` and programs say to `convoy-control` over gRPC (`convoy.v1`), and what "
    "Convoy "
    "adds to xDS\nwhere Envoy has nothing of the kind (`convoy.ext`). Examples: "
    "[configuration](../configuration.md).\n";

// The comment above a definition, one line for each line of the source.
template <class D>
std::vector<std::string> commentOf(const D& described) {
  google::protobuf::SourceLocation location;
  if (!described.GetSourceLocation(&location)) return {};
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(location.leading_comments, '\n')) {
    lines.emplace_back(absl::StripPrefix(line, " "));
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

template <class D>
std::string paragraphs(const D& described) {
  const std::vector<std::string> lines = commentOf(described);
  return lines.empty() ? "" : absl::StrCat(absl::StrJoin(lines, "\n"), "\n\n");
}

// In one cell of a table.
template <class D>
std::string cell(const D& described) {
  return absl::StrReplaceAll(absl::StrJoin(commentOf(described), " "), {{"|", "\\|"}});
}

std::string nameOf(const FieldDescriptor& field) {
  if (field.type() == FieldDescriptor::TYPE_ENUM)
    return std::string(field.enum_type()->full_name());
  if (field.type() != FieldDescriptor::TYPE_MESSAGE) return field.type_name();
  return std::string(field.message_type()->full_name());
}

std::string typeOf(const FieldDescriptor& field) {
  if (field.is_map()) {
    return absl::StrCat("map of ", nameOf(*field.message_type()->map_key()), " to ",
                        nameOf(*field.message_type()->map_value()));
  }
  return absl::StrCat(field.is_repeated() ? "list of " : "", nameOf(field));
}

void addEnum(const EnumDescriptor& type, std::string* page) {
  absl::StrAppend(page, "### ", type.full_name(), "\n\n", paragraphs(type),
                  "| value | number | |\n|---|---|---|\n");
  for (int i = 0; i < type.value_count(); ++i) {
    const EnumValueDescriptor& value = *type.value(i);
    absl::StrAppend(page, "| `", value.name(), "` | ", value.number(), " | ", cell(value), " |\n");
  }
  absl::StrAppend(page, "\n");
}

void addMessage(const Descriptor& type, std::string* page) {
  if (type.options().map_entry()) return;
  absl::StrAppend(page, "### ", type.full_name(), "\n\n", paragraphs(type));
  if (type.field_count() == 0) {
    absl::StrAppend(page, "It has no fields.\n\n");
  } else {
    absl::StrAppend(page, "| field | type | |\n|---|---|---|\n");
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      absl::StrAppend(page, "| `", field.name(), "` | ", typeOf(field), " | ", cell(field), " |\n");
    }
    absl::StrAppend(page, "\n");
  }
  for (int i = 0; i < type.enum_type_count(); ++i) addEnum(*type.enum_type(i), page);
  for (int i = 0; i < type.nested_type_count(); ++i) addMessage(*type.nested_type(i), page);
}

void addService(const ServiceDescriptor& service, std::string* page) {
  absl::StrAppend(page, "### ", service.full_name(), "\n\n", paragraphs(service),
                  "| call | request | answer | |\n|---|---|---|---|\n");
  for (int i = 0; i < service.method_count(); ++i) {
    const MethodDescriptor& method = *service.method(i);
    absl::StrAppend(page, "| `", method.name(), "` | ", method.input_type()->full_name(), " | ",
                    method.server_streaming() ? "stream of " : "",
                    method.output_type()->full_name(), " | ", cell(method), " |\n");
  }
  absl::StrAppend(page, "\n");
}

void addFile(const FileDescriptor& file, std::string* page) {
  absl::StrAppend(page, "\n## ", file.name(), "\n\n");
  for (int i = 0; i < file.service_count(); ++i) addService(*file.service(i), page);
  for (int i = 0; i < file.message_type_count(); ++i) addMessage(*file.message_type(i), page);
  for (int i = 0; i < file.enum_type_count(); ++i) addEnum(*file.enum_type(i), page);
  page->pop_back();  // one empty line between files
}

}  // namespace

std::string apiPage(const google::protobuf::FileDescriptorSet& files) {
  DescriptorPool pool;
  std::vector<const FileDescriptor*> ours;
  for (const auto& file : files.file()) {
    const FileDescriptor* const built = pool.BuildFile(file);
    if (built != nullptr && absl::StartsWith(file.name(), "api/convoy/")) ours.push_back(built);
  }
  std::sort(ours.begin(), ours.end(), [](const FileDescriptor* a, const FileDescriptor* b) {
    return std::make_pair(a->package() != "convoy.v1", a->name()) <
           std::make_pair(b->package() != "convoy.v1", b->name());
  });
  std::string page(kIntroduction);
  for (const FileDescriptor* file : ours) addFile(*file, &page);
  return page;
}

}  // namespace convoy::tools::reference
