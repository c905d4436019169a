#pragma once

// Reads one value of a message by reflection: of a singular field, or one element of a repeated
// one.

#include <string>

#include "google/protobuf/message.h"

namespace convoy::config {

class FieldReader {
 public:
  using Message = google::protobuf::Message;
  using Field = google::protobuf::FieldDescriptor;

  // `index` is -1 for a singular field. Refers to its arguments.
  FieldReader(const Message& message, const Field& field, int index)
      : message_(message), field_(field), reflection_(*message.GetReflection()), index_(index) {}

  bool boolean() const { return get(&Reflection::GetBool, &Reflection::GetRepeatedBool); }
  int32_t int32() const { return get(&Reflection::GetInt32, &Reflection::GetRepeatedInt32); }
  int64_t int64() const { return get(&Reflection::GetInt64, &Reflection::GetRepeatedInt64); }
  uint32_t uint32() const { return get(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32); }
  uint64_t uint64() const { return get(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64); }
  float real32() const { return get(&Reflection::GetFloat, &Reflection::GetRepeatedFloat); }
  double real64() const { return get(&Reflection::GetDouble, &Reflection::GetRepeatedDouble); }
  std::string string() const { return get(&Reflection::GetString, &Reflection::GetRepeatedString); }
  int enumNumber() const {
    return get(&Reflection::GetEnumValue, &Reflection::GetRepeatedEnumValue);
  }
  const Message& message() const {
    return index_ < 0 ? reflection_.GetMessage(message_, &field_)
                      : reflection_.GetRepeatedMessage(message_, &field_, index_);
  }

 private:
  using Reflection = google::protobuf::Reflection;

  template <typename T>
  T get(T (Reflection::*one)(const Message&, const Field*) const,
        T (Reflection::*many)(const Message&, const Field*, int) const) const {
    return index_ < 0 ? (reflection_.*one)(message_, &field_)
                      : (reflection_.*many)(message_, &field_, index_);
  }

  const Message& message_;
  const Field& field_;
  const Reflection& reflection_;
  const int index_;
};

}  // namespace convoy::config
