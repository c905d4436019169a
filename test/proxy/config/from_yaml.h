#pragma once

// Messages and conversions out of YAML, for tests of the converters.

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "proxy/config/builtins.h"
#include "proxy/config/resources.h"
#include "proxy/config/yaml_loader.h"

namespace convoy::config {

template <typename Proto>
Proto fromYaml(std::string_view yaml) {
  Proto proto;
  const Loaded loaded = loadYaml(yaml, "test.yaml", &proto);
  EXPECT_TRUE(loaded.ok()) << describeErrors(loaded.errors, loaded.error_count) << "\n" << yaml;
  return proto;
}

inline Context testContext() {
  Context context;
  context.registry = &builtins();
  return context;
}

// "path: rule: value" for each error.
inline std::vector<std::string> brief(const std::vector<base::FieldError>& errors) {
  std::vector<std::string> texts;
  for (const base::FieldError& error : errors) {
    texts.push_back(error.field_path + ": " + error.rule + ": " + error.value);
  }
  return texts;
}

// Paths of the notes.
inline std::vector<std::string> brief(const std::vector<base::FieldNote>& notes) {
  std::vector<std::string> texts;
  for (const base::FieldNote& note : notes) texts.push_back(note.field_path);
  return texts;
}

using Lines = std::vector<std::string>;

struct ErrorCase {
  std::string yaml;
  Lines errors;
};

}  // namespace convoy::config
