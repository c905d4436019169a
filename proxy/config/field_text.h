#pragma once

// The values of protobuf fields as a person would write them.

#include <sstream>
#include <string>

#include "google/protobuf/duration.pb.h"
#include "google/protobuf/message.h"

namespace convoy::config {

// Numbers, names of enum values, "5s", what wrappers hold. Empty for bytes and other messages, and
// for a whole list. `index` is that of an element of a repeated field.
std::string fieldText(const google::protobuf::Message& message,
                      const google::protobuf::FieldDescriptor& field, int index = -1);

// "0.25s"
std::string durationText(const google::protobuf::Duration& duration);

// As short as possible: "0.5", "3".
template <typename T>
std::string numberText(T number) {
  std::ostringstream text;
  text << number;
  return text.str();
}

}  // namespace convoy::config
