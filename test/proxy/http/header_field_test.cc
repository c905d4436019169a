#include "proxy/http/header_field.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace convoy::http {
namespace {

std::vector<std::string> numbers(int count) {
  std::vector<std::string> texts;
  texts.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) texts.push_back(std::to_string(i));
  return texts;
}

FieldVector vectorOf(const std::vector<std::string>& texts) {
  FieldVector fields;
  for (const std::string& text : texts) fields.add({text, text, HeaderName::Other});
  return fields;
}

std::vector<std::string> namesOf(const FieldVector& fields) {
  std::vector<std::string> names;
  for (const HeaderField& field : fields) names.emplace_back(field.name);
  return names;
}

// Of sizes below, at and above what fits without the heap.
TEST(FieldVectorTest, CopiesAndMovesBetweenInlineAndHeap) {
  const int sizes[] = {0, 1, 23, 24, 25, 48, 49, 200};
  for (const int from_size : sizes) {
    for (const int to_size : sizes) {
      const std::vector<std::string> from_texts = numbers(from_size);
      const std::vector<std::string> to_texts = numbers(to_size);
      const FieldVector from = vectorOf(from_texts);
      FieldVector copied = vectorOf(to_texts);
      copied = from;
      EXPECT_EQ(namesOf(copied), from_texts);
      EXPECT_EQ(namesOf(from), from_texts);
      FieldVector moved = vectorOf(to_texts);
      moved = std::move(copied);
      EXPECT_EQ(namesOf(moved), from_texts);
      copied = {};
      EXPECT_TRUE(copied.empty());
      copied.add({"again", "", HeaderName::Other});
      EXPECT_EQ(copied[0].name, "again");
      EXPECT_EQ(namesOf(moved), from_texts);
    }
  }
}

TEST(FieldVectorTest, ConstructsFromAnother) {
  const std::vector<std::string> texts = numbers(30);
  FieldVector fields = vectorOf(texts);
  FieldVector copied(fields);
  FieldVector moved(std::move(fields));
  EXPECT_EQ(namesOf(copied), texts);
  EXPECT_EQ(namesOf(moved), texts);
}

TEST(FieldVectorTest, AssignsToItself) {
  const std::vector<std::string> texts = numbers(30);
  FieldVector fields = vectorOf(texts);
  FieldVector& same = fields;
  fields = same;
  EXPECT_EQ(namesOf(fields), texts);
  fields = std::move(same);
  EXPECT_EQ(namesOf(fields), texts);
}

TEST(FieldVectorTest, TruncatesAndClears) {
  const std::vector<std::string> texts = numbers(30);
  FieldVector fields = vectorOf(texts);
  fields.truncate(100);
  EXPECT_EQ(fields.size(), 30U);
  fields.truncate(2);
  EXPECT_EQ(namesOf(fields), (std::vector<std::string>{"0", "1"}));
  fields.clear();
  EXPECT_TRUE(fields.empty());
  EXPECT_EQ(fields.begin(), fields.end());
}

}  // namespace
}  // namespace convoy::http
