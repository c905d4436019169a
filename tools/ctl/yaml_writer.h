#pragma once

// Messages as YAML and JSON text, with the field names of the .proto files, in the order of the
// fields. What is written here, proxy/config/yaml_loader.h reads back.

#include <string>
#include <string_view>

#include "google/protobuf/message.h"
#include "proxy/config/document.h"

namespace convoy::tools::ctl {

// With a newline at the end. An empty message is "{}".
std::string toYaml(const google::protobuf::Message& message);

enum class JsonStyle { Indented, OneLine };
std::string toJson(const google::protobuf::Message& message, JsonStyle style = JsonStyle::Indented);

// A string as a YAML scalar: quoted if YAML would take it for something else.
std::string yamlScalar(std::string_view text);

}  // namespace convoy::tools::ctl
