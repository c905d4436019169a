#include "tools/ctl/contexts.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "test/controlplane/common/temporary_folder.h"

namespace convoy::tools::ctl {
namespace {

class ContextsTest : public testing::Test {
 protected:
  Session session() {
    return {.in = in_,
            .out = out_,
            .err = err_,
            .env = [this](const std::string& name) { return env_[name]; },
            .server = {},
            .context = {},
            .contexts_file = {}};
  }
  void write(const std::string& text) { std::ofstream(path_) << text; }

  controlplane::TemporaryFolder folder_;
  const std::string path_ = folder_.file("contexts.yaml");
  std::map<std::string, std::string> env_ = {{"CONVOY_CONTEXTS", path_}};
  std::istringstream in_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(ContextsTest, TheFileIsWhereTheEnvironmentSays) {
  EXPECT_EQ(contextsPath(session()), path_);
  env_ = {{"HOME", "/home/a"}};
  EXPECT_EQ(contextsPath(session()), "/home/a/.config/convoy/contexts.yaml");
  env_["XDG_CONFIG_HOME"] = "/x";
  EXPECT_EQ(contextsPath(session()), "/x/convoy/contexts.yaml");
}

TEST_F(ContextsTest, WhatIsSavedIsLoaded) {
  const std::string path = folder_.file("new/folder/contexts.yaml");
  Contexts contexts;
  contexts.set({"a", "10.0.0.1:1"});
  contexts.set({"true", "[::1]:2"});
  contexts.set({"a", "10.0.0.1:3", {"/x/ca.pem", "/x/me.pem", "/x/me.key"}});
  contexts.current = "true";
  ASSERT_TRUE(saveContexts(path, contexts).ok());
  const auto loaded = loadContexts(path);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->current, "true");
  ASSERT_EQ(loaded->contexts.size(), 2u);
  EXPECT_EQ(loaded->find("a")->address, "10.0.0.1:3");
  EXPECT_EQ(loaded->find("a")->tls.ca, "/x/ca.pem");
  EXPECT_EQ(loaded->find("a")->tls.certificate, "/x/me.pem");
  EXPECT_EQ(loaded->find("a")->tls.key, "/x/me.key");
  EXPECT_EQ(loaded->find("true")->address, "[::1]:2");
  EXPECT_TRUE(loaded->find("true")->tls.empty());
  EXPECT_EQ(loaded->find("b"), nullptr);
}

TEST_F(ContextsTest, AMissingFileIsEmpty) {
  const auto loaded = loadContexts(path_);
  ASSERT_TRUE(loaded.ok());
  EXPECT_TRUE(loaded->contexts.empty());
}

TEST_F(ContextsTest, ErrorsNameFileAndLine) {
  const struct {
    const char* text;
    const char* place;
  } kCases[] = {
      {"current: a\nother: b\n", ":2:1: "},
      {"contexts:\n- name: a\n  adress: b\n", ":3:3: "},
      {"contexts:\n- name: a\n", ":2:3: "},
      {"contexts: [\n", ":1:11: "},
  };
  for (const auto& test : kCases) {
    write(test.text);
    const auto loaded = loadContexts(path_);
    ASSERT_FALSE(loaded.ok()) << test.text;
    EXPECT_EQ(std::string(loaded.status().message()).find(path_ + test.place), 0u)
        << loaded.status();
  }
}

TEST_F(ContextsTest, AFailedSaveLeavesNothingBehind) {
  std::filesystem::create_directory(path_);
  const absl::Status saved = saveContexts(path_, {});
  EXPECT_EQ(std::string(saved.message()).find(path_ + ": "), 0u) << saved;
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(ContextsTest, AddressesOfControlPlanes) {
  for (const char* good : {"127.0.0.1:18001", "[::1]:1", "control.example.com:18001", "localhost:1",
                           "unix:/run/x.sock", "unix:x.sock", "unix:@x"}) {
    EXPECT_TRUE(checkAddress(good).ok()) << good;
  }
  for (const char* bad : {"", "a", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "a:0", "a b:1",
                          "http://a:1", "https://127.0.0.1:1", "::1:1", "unix:", ":1"}) {
    EXPECT_FALSE(checkAddress(bad).ok()) << bad;
  }
}

TEST_F(ContextsTest, WhatIsSaidCloserToTheCommandWins) {
  write(
      "current: a\ncontexts:\n- {name: a, address: 10.0.0.1:1}\n- {name: b, address: "
      "10.0.0.2:1}\n");
  Session here = session();
  EXPECT_EQ(chosenServer(here).value().address, "10.0.0.1:1");
  env_["CONVOY_SERVER"] = "10.0.0.3:1";
  EXPECT_EQ(chosenServer(here).value().address, "10.0.0.3:1");
  here.context = "b";
  EXPECT_EQ(chosenServer(here).value().address, "10.0.0.2:1");
  here.server = "10.0.0.4:1";
  EXPECT_EQ(chosenServer(here).value().address, "10.0.0.4:1");
  here.server.clear();
  here.context = "c";
  EXPECT_FALSE(chosenServer(here).ok());
}

TEST_F(ContextsTest, FilesAreFoundFromTheContextsAndFlagsGoBefore) {
  write("current: a\ncontexts:\n- {name: a, address: 10.0.0.1:1, ca: ca.pem, cert: c, key: k}\n");
  Session here = session();
  EXPECT_EQ(chosenServer(here).value().tls.ca, folder_.file("ca.pem"));
  here.tls = {.ca = "other.pem"};
  const Context server = chosenServer(here).value();
  EXPECT_EQ(server.tls.ca, "other.pem");
  EXPECT_EQ(server.tls.key, folder_.file("k"));
}

TEST_F(ContextsTest, FilesOfTlsBelongTogether) {
  const struct {
    const char* server;
    TlsPaths tls;
    const char* words;
  } kCases[] = {
      {"10.0.0.1:1", {.certificate = "c", .key = "k"}, "need --ca"},
      {"10.0.0.1:1", {.ca = "a", .certificate = "c"}, "belong together"},
      {"10.0.0.1:1", {.ca = "a", .key = "k"}, "belong together"},
      {"unix:/m", {.ca = "a"}, "no TLS"},
  };
  for (const auto& test : kCases) {
    Session here = session();
    here.server = test.server;
    here.tls = test.tls;
    const auto server = chosenServer(here);
    ASSERT_FALSE(server.ok());
    EXPECT_NE(server.status().message().find(test.words), absl::string_view::npos)
        << server.status();
  }
}

TEST_F(ContextsTest, TheDefaultIsThisMachine) {
  EXPECT_EQ(chosenServer(session()).value().address, kDefaultServer);
}

}  // namespace
}  // namespace convoy::tools::ctl
