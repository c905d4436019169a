#pragma once

// Messages from their text form, for tables.

#include <string>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace convoy::controlplane {

template <typename Message>
Message parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

template <typename Message>
std::string shortText(const Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.SetExpandAny(true);
  std::string text;
  printer.PrintToString(message, &text);
  if (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace convoy::controlplane
