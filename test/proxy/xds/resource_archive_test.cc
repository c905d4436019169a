#include "proxy/xds/resource_archive.h"

#include <gtest/gtest.h>

namespace convoy::xds {
namespace {

using Received = ResourceArchive::Received;

constexpr char kType[] = "type.googleapis.com/a.B";

std::string shown(const ResourceArchive& archive, std::string_view name) {
  const ResourceArchive::Type* type = archive.find(kType);
  if (type == nullptr) return "no type";
  const auto found = type->resources.find(name);
  if (found == type->resources.end()) return "none";
  const auto& entry = found->second;
  std::string text;
  if (entry.active.has_value()) text += "active " + entry.active->version + " ";
  if (entry.warming.has_value()) text += "warming " + entry.warming->version + " ";
  if (entry.refused.has_value()) {
    text += "refused " + entry.refused->what.version + ": " + entry.refused->details;
  }
  return text;
}

Received version(const std::string& version) {
  return {version, "bytes", {}};
}

TEST(ResourceArchiveTest, KeepsTheNewestVersionThatWasAccepted) {
  ResourceArchive archive;
  EXPECT_EQ(shown(archive, "r"), "no type");
  archive.accept(kType, "r", version("1"), false);
  archive.accept(kType, "r", version("2"), false);
  archive.setVersion(kType, "7");
  EXPECT_EQ(shown(archive, "r"), "active 2 ");
  EXPECT_EQ(archive.find(kType)->version, "7");
  archive.erase(kType, "r");
  archive.erase(kType, "r");
  EXPECT_EQ(shown(archive, "r"), "none");
}

TEST(ResourceArchiveTest, KeepsTheVersionInForceWhileItsSuccessorWaits) {
  ResourceArchive archive;
  archive.accept(kType, "r", version("1"), false);
  EXPECT_FALSE(archive.anyWaiting());
  archive.accept(kType, "r", version("2"), true);
  EXPECT_TRUE(archive.anyWaiting());
  EXPECT_EQ(shown(archive, "r"), "active 1 warming 2 ");
  archive.keepWaiting("type.googleapis.com/a.Other", {});
  archive.keepWaiting(kType, {"r"});
  EXPECT_EQ(shown(archive, "r"), "active 1 warming 2 ");
  archive.keepWaiting(kType, {});
  EXPECT_EQ(shown(archive, "r"), "active 2 ");
  EXPECT_FALSE(archive.anyWaiting());
}

TEST(ResourceArchiveTest, ForgetsWhatWaitedWhenSomethingNewerIsInForceOrItIsRemoved) {
  ResourceArchive archive;
  archive.accept(kType, "r", version("1"), true);
  archive.accept(kType, "r", version("2"), false);
  EXPECT_EQ(shown(archive, "r"), "active 2 ");
  archive.accept(kType, "s", version("1"), true);
  archive.erase(kType, "s");
  EXPECT_FALSE(archive.anyWaiting());
}

TEST(ResourceArchiveTest, ARefusalStaysUntilAVersionIsAccepted) {
  ResourceArchive archive;
  archive.accept(kType, "r", version("1"), false);
  archive.refuse(kType, "r", {version("2"), "too bad"});
  EXPECT_EQ(shown(archive, "r"), "active 1 refused 2: too bad");
  archive.accept(kType, "r", version("3"), false);
  EXPECT_EQ(shown(archive, "r"), "active 3 ");
  archive.refuse(kType, "new", {version("1"), "no"});
  EXPECT_EQ(shown(archive, "new"), "refused 1: no");
}

}  // namespace
}  // namespace convoy::xds
