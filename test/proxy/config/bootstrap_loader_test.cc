#include "proxy/config/bootstrap_loader.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gtest/gtest.h"

namespace convoy::config {
namespace {

const std::string kTestdata = "test/proxy/config/testdata/";

TEST(BootstrapLoader, AStaticBootstrap) {
  const LoadedBootstrap loaded = loadBootstrapFile(kTestdata + "good/static_http.yaml");
  ASSERT_TRUE(loaded.ok()) << loaded.errorText();
  const BootstrapSpec& spec = *loaded.spec;
  ASSERT_TRUE(spec.admin.has_value());
  EXPECT_EQ(spec.admin->address.text(), "127.0.0.1:9901");

  ASSERT_EQ(spec.clusters.size(), 1u);
  const upstream::ClusterSpec& cluster = *spec.clusters[0];
  EXPECT_EQ(cluster.name, "service");
  EXPECT_EQ(cluster.connect_timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(cluster.balancing.algorithm, upstream::Algorithm::RoundRobin);
  ASSERT_NE(cluster.assignment, nullptr);
  ASSERT_EQ(cluster.assignment->localities.size(), 1u);
  const auto& endpoints = cluster.assignment->localities[0].endpoints;
  ASSERT_EQ(endpoints.size(), 2u);
  EXPECT_EQ(endpoints[0].address.text(), "127.0.0.1:8081");
  EXPECT_EQ(endpoints[0].weight, 1u);
  EXPECT_EQ(endpoints[1].weight, 3u);

  ASSERT_EQ(spec.listeners.size(), 1u);
  const net::ListenerSpec& listener = *spec.listeners[0];
  EXPECT_EQ(listener.name, "web");
  ASSERT_EQ(listener.filter_chains.size(), 1u);
  ASSERT_EQ(listener.filter_chains[0]->filters.size(), 1u);
  const auto* manager =
      dynamic_cast<const http::ConnectionManagerSpec*>(listener.filter_chains[0]->filters[0].get());
  ASSERT_NE(manager, nullptr);
  ASSERT_EQ(manager->access_logs.size(), 1u);
  EXPECT_EQ(manager->access_logs[0].path, "/dev/stdout");
  ASSERT_EQ(manager->filters.size(), 1u);
  EXPECT_EQ(manager->filters[0]->kind, "envoy.filters.http.router");
  ASSERT_NE(manager->routes, nullptr);
  const route::Route& route = manager->routes->virtual_hosts.at(0).routes.at(0);
  EXPECT_EQ(std::get<route::Forward>(route.action).cluster, "service");
}

std::vector<std::string> filesIn(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST(BootstrapLoader, StockLikeFilesLoad) {
  const std::vector<std::string> files = filesIn(kTestdata + "good");
  EXPECT_GE(files.size(), 12u);
  for (const std::string& file : files) {
    const LoadedBootstrap loaded = loadBootstrapFile(file);
    EXPECT_TRUE(loaded.ok()) << loaded.errorText();
    EXPECT_EQ(validateFile(file).exit_code, 0);
  }
}

// bad/errors.txt has, for each file in order, exactly what is said of it.
TEST(BootstrapLoader, BadFilesAreRefusedInTheseWords) {
  std::string said;
  for (const std::string& file : filesIn(kTestdata + "bad")) {
    if (!file.ends_with(".yaml")) continue;
    const Validation validation = validateFile(file);
    EXPECT_EQ(validation.exit_code, 2) << file;
    said += validation.output;
  }
  std::ifstream expected(kTestdata + "bad/errors.txt");
  std::ostringstream text;
  text << expected.rdbuf();
  EXPECT_EQ(said, text.str());
}

TEST(BootstrapLoader, FlagsReplaceTheNodesIdentity) {
  const LoadedBootstrap loaded = loadBootstrap("{node: {id: a, cluster: b}}", "f",
                                               {.service_node = "n", .service_cluster = "c"});
  ASSERT_TRUE(loaded.ok()) << loaded.errorText();
  EXPECT_EQ(loaded.spec->node.id, "n");
  EXPECT_EQ(loaded.spec->node.cluster, "c");
}

TEST(BootstrapLoader, WhatHasNoEffectIsShownWithItsPlace) {
  const LoadedBootstrap loaded = loadBootstrap("stats_config: {}\n", "f.yaml");
  ASSERT_EQ(loaded.notes.size(), 1u);
  EXPECT_EQ(loaded.notes[0].text(),
            "f.yaml:1:1: stats_config: has no effect: tags and matchers of statistics are fixed");
}

TEST(BootstrapLoader, AFileThatIsNotThere) {
  const Validation validation = validateFile("/does/not/exist");
  EXPECT_EQ(validation.exit_code, 2);
  EXPECT_EQ(validation.output,
            "/does/not/exist: the file cannot be read: No such file or directory (not_found)\n");
}

// Each would be an empty configuration, and a node that serves nothing would call itself live.
TEST(BootstrapLoader, FilesWithoutAnything) {
  const std::string folder = testing::TempDir();
  EXPECT_EQ(validateFile(folder).output,
            folder +
                ": the file cannot be read: it is a folder; write the path of a YAML or JSON "
                "file (folder)\n");
  const std::string blank = folder + "/blank.yaml";
  std::ofstream(blank) << " \n\n";
  EXPECT_EQ(validateFile(blank).output,
            blank + ": the file cannot be read: nothing is in it (empty)\n");
  EXPECT_EQ(validateFile("/dev/null").exit_code, 2);
}

TEST(BootstrapLoader, AFileWithoutEnd) {
  EXPECT_EQ(validateFile("/dev/zero").output,
            "/dev/zero: the file cannot be read: it has more than 64 MiB (too_large)\n");
}

}  // namespace
}  // namespace convoy::config
