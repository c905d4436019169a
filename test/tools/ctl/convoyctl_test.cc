// convoyctl against a real convoy-control of its own: what people type, and what they get.

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "api/convoy/v1/config_service.grpc.pb.h"
#include "test/common/test_ca.h"
#include "test/controlplane/common/temporary_folder.h"
#include "tools/ctl/commands.h"

namespace convoy::tools::ctl {
namespace {

constexpr char kTenLines[] = R"(listeners:
- name: public
  address: 0.0.0.0:8080
  routes:
  - pool: web
pools:
- name: web
  backends:
  - address: 10.0.0.1:8080
  - address: 10.0.0.2:8080
)";

struct Result {
  int code = 0;
  std::string out;
  std::string err;
};

class ConvoyctlTest : public testing::Test {
 protected:
  ConvoyctlTest() {
    const std::string store = folder_.file("convoy.db");
    const char* argv[] = {"controlplane/convoy-control",
                          "--store",
                          store.c_str(),
                          "--listen",
                          "127.0.0.1:0",
                          "--xds-listen",
                          "127.0.0.1:0",
                          "-l",
                          "error",
                          nullptr};
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    EXPECT_EQ(
        posix_spawn(&pid_, argv[0], &actions, nullptr, const_cast<char* const*>(argv), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    FILE* output = fdopen(ends[0], "r");
    char line[1024] = "";
    EXPECT_NE(fgets(line, sizeof(line), output), nullptr);
    fclose(output);
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      if (word.rfind("management=", 0) == 0) server_ = word.substr(word.find('=') + 1);
      if (word.rfind("xds=", 0) == 0) xds_ = word.substr(word.find('=') + 1);
    }
  }
  ~ConvoyctlTest() override {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  Result run(const std::vector<std::string>& arguments, const std::string& input = "") {
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    Session session{.in = in,
                    .out = out,
                    .err = err,
                    .env = [this](const std::string& name) { return env_[name]; },
                    .server = {},
                    .context = {},
                    .contexts_file = {}};
    const int code = runConvoyctl(arguments, session);
    return {code, out.str(), err.str()};
  }
  Result apply(const std::string& yaml, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"apply", "-f", "-"});
    return run(more, yaml);
  }

  controlplane::TemporaryFolder folder_;
  pid_t pid_ = 0;
  std::string server_;
  std::string xds_;
  std::map<std::string, std::string> env_ = {{"CONVOY_CONTEXTS", folder_.file("contexts.yaml")},
                                             {"USER", "ann"}};
};

class FirstSteps : public ConvoyctlTest {
 protected:
  FirstSteps() { env_["CONVOY_SERVER"] = server_; }
};

TEST_F(FirstSteps, AppliesWhatAPersonWrites) {
  Result result = apply(kTenLines, {"--comment", "first light"});
  EXPECT_EQ(result.code, kOk) << result.err;
  EXPECT_EQ(result.out,
            "revision 1: 4 created\n"
            "  created listener public\n"
            "  created pool web\n"
            "  created backend web/10.0.0.1:8080\n"
            "  created backend web/10.0.0.2:8080\n");
  EXPECT_EQ(apply(kTenLines).out, "nothing to change, still revision 1\n");

  result = run({"history"});
  EXPECT_NE(result.out.find("ann"), std::string::npos);
  EXPECT_NE(result.out.find("first light"), std::string::npos);
}

TEST_F(FirstSteps, APreviewChangesNothing) {
  ASSERT_EQ(apply(kTenLines).code, kOk);
  const std::string changed = R"(
pools:
- name: web
  algorithm: round_robin
  backends:
  - address: 10.0.0.1:8080
    weight: 5
)";
  Result result = apply(changed, {"--dry-run"});
  EXPECT_EQ(result.code, kOk) << result.err;
  EXPECT_NE(result.out.find("+ algorithm: ALGORITHM_ROUND_ROBIN"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("deleted backend web/10.0.0.2:8080"), std::string::npos) << result.out;
  EXPECT_EQ(apply(kTenLines).out, "nothing to change, still revision 1\n");
  EXPECT_EQ(apply(kTenLines, {"--preview"}).out, "would change nothing, revision 1\n");
}

TEST_F(FirstSteps, WhatListPrintsCanBeApplied) {
  ASSERT_EQ(apply(kTenLines).code, kOk);
  for (const char* format : {"yaml", "json"}) {
    const Result listed = run({"list", "-o", format});
    ASSERT_EQ(listed.code, kOk) << listed.err;
    const Result result = apply(listed.out, {"--prune"});
    EXPECT_EQ(result.out, "nothing to change, still revision 1\n") << result.err;
  }
  EXPECT_EQ(run({"get", "pool", "web", "-o", "yaml"}).out,
            "# revision 1\n"
            "pools:\n"
            "- name: web\n"
            "  backends:\n"
            "  - address: 10.0.0.1:8080\n"
            "    weight: 1\n"
            "    pool: web\n"
            "  - address: 10.0.0.2:8080\n"
            "    weight: 1\n"
            "    pool: web\n");
  EXPECT_EQ(run({"list", "backends", "--pool", "web"}).out,
            "KIND     NAME               REVISION  SUMMARY\n"
            "backend  web/10.0.0.1:8080  1         weight 1\n"
            "backend  web/10.0.0.2:8080  1         weight 1\n");
}

TEST_F(FirstSteps, PruneMakesTheFileTheWholeTruth) {
  ASSERT_EQ(apply(kTenLines).code, kOk);
  const Result result = apply("pools:\n- name: other\n", {"--prune"});
  EXPECT_EQ(result.code, kOk) << result.err;
  EXPECT_NE(result.out.find("1 created, 4 deleted"), std::string::npos) << result.out;
}

TEST_F(FirstSteps, BadInputIsRefusedWithItsPlace) {
  const struct {
    const char* yaml;
    const char* says;
  } kCases[] = {
      {"listeners: [\n", "stdin:1:12: not YAML: the \"[\" here is never closed"},
      {"listeners:\n- name: a\n  adress: b\n",
       "stdin:3:3: listeners[0].adress: convoy.v1.Listener has no such field"},
      {"pools:\n- name: web\n  backends:\n  - address: 10.0.0.1:80\n    weight: 300\n",
       "stdin:5:5: pools[0].backends[0].weight: the range is 1 to 128 (range: 300)"},
      {"pools:\n- name: web\n  backends:\n  - address: 10.0.0.1:80\n    weight: -1\n",
       "stdin:5:5: pools[0].backends[0].weight: must not be negative"},
      {"null\n", "stdin: is empty; write {} if that is what you mean"},
      {"---\n# nothing\n", "stdin: is empty; write {} if that is what you mean"},
      {"~", "stdin: is empty; write {} if that is what you mean"},
      {"pools:\n- name: a\n- name: a\n", "(duplicate: a)"},
      {"listeners:\n- name: a\n  address: 0.0.0.0:80\n  routes:\n  - pool: web\n",
       "stdin:5:5: listeners[0].routes[0].pool: "},
      {"listeners:\n- name: a\n  address: 0.0.0.0:80000\n", "stdin:3:3: listeners[0].address: "},
  };
  for (const auto& test : kCases) {
    for (const char* command : {"apply", "validate"}) {
      const Result result = run({command, "-f", "-"}, test.yaml);
      EXPECT_EQ(result.code, kBadInput);
      EXPECT_NE(result.err.find(test.says), std::string::npos) << result.err;
    }
  }
  EXPECT_EQ(run({"apply", "-f", folder_.file("missing.yaml")}).code, kBadInput);
  EXPECT_EQ(run({"list"}).out, "nothing\n");
}

TEST_F(FirstSteps, AFileIsNamedInErrors) {
  const std::string path = folder_.file("a.yaml");
  std::ofstream(path) << "pools:\n- nam: web\n";
  EXPECT_EQ(run({"validate", "-f", path}).err.find(path + ":2:3: pools[0].nam: "), 0u);
  std::ofstream(path) << kTenLines;
  EXPECT_EQ(run({"validate", "-f", path}).out, path + ": good\n");
}

TEST_F(FirstSteps, TheFileIsNotToBlameForAFlag) {
  const Result result = apply(kTenLines, {"--comment", std::string(4097, 'a')});
  EXPECT_EQ(result.code, kBadInput);
  EXPECT_EQ(result.err.find("comment: comment has at most 4096 bytes (range: aaa"), 0u)
      << result.err;
}

TEST_F(FirstSteps, ExitCodesTellWhatHappened) {
  ASSERT_EQ(apply(kTenLines).code, kOk);
  for (const std::vector<std::string>& flags : std::vector<std::vector<std::string>>{
           {"--expected-revision", "0"}, {"--expected-revision", "0", "--dry-run"}}) {
    const Result result = apply("pools:\n- name: b\n", flags);
    EXPECT_EQ(result.code, kConflict);
    EXPECT_EQ(result.err.find("convoyctl: expected revision 0, but the newest is 1"), 0u)
        << result.err;
  }
  EXPECT_EQ(apply("pools:\n- name: b\n", {"--expected-revision", "1"}).code, kOk);
  EXPECT_EQ(run({"get", "pool", "nope"}).code, kNotFound);
  EXPECT_EQ(run({"delete", "pool", "nope"}).code, kNotFound);
  EXPECT_EQ(run({"delete", "pool", "web"}).code, kBadInput);  // a route names it
  EXPECT_EQ(run({"delete", "pool"}).code, kBadInput);
  EXPECT_EQ(run({"get", "thing", "a"}).code, kBadInput);
  EXPECT_EQ(run({"apply", "-f", "-", "--wait", "soon"}, kTenLines).code, kBadInput);
  EXPECT_EQ(run({"frobnicate"}).code, kBadInput);
  EXPECT_EQ(run({}).code, kBadInput);
  EXPECT_EQ(run({"--server", "unix:/nonexistent/socket", "list"}).code, kUnreachable);
  EXPECT_EQ(run({"list", "--context", "nope"}).code, kNotFound);
  EXPECT_EQ(run({"--help"}).code, kOk);
  EXPECT_EQ(run({"apply", "--help"}).code, kOk);
  EXPECT_EQ(run({"--version"}).code, kOk);
}

struct Mistake {
  std::vector<std::string> arguments;
  const char* says;
};

TEST_F(FirstSteps, AMistakeIsNamedWithTheWayOut) {
  ASSERT_EQ(apply(kTenLines).code, kOk);
  const Mistake mistakes[] = {
      {{}, "convoyctl needs a command; commands are apply, validate, delete, get, "},
      {{"frobnicate"}, "\"frobnicate\" is no command of convoyctl; commands are apply, "},
      {{"--timeout", "5", "frobnicate"}, "\"frobnicate\" is no command of convoyctl; "},
      {{"context"}, "convoyctl context needs a command; commands are list, set, use, delete; "},
      {{"context", "frob"}, "\"frob\" is no command of convoyctl context; commands are list, "},
      {{"apply"}, "--file is required; try convoyctl apply --help"},
      {{"get", "pool"}, "try convoyctl get --help"},
      {{"apply", "-f", folder_.file("")}, "-f takes a file, or - for stdin: it is a folder"},
      {{"apply", "-f", folder_.file("none")}, "or - for stdin: No such file or directory"},
      {{"apply", "-f", "/dev/zero"}, "/dev/zero: has more than 64 MiB"},
      {{"apply", "-f", "-", "--prune"}, "stdin: is empty; write {} if that is what you mean"},
      {{"apply", "-f", "-", "--expected-revision", "x"},
       "--expected-revision: \"x\" must be a whole number, 0 or more; try convoyctl apply --help"},
      {{"history", "--limit", "0"}, "--limit: \"0\" must be a whole number, 1 or more"},
      {{"--timeout", "0", "list"}, "--timeout: \"0\" must be a whole number, 1 to 86400"},
      {{"get", "pool", "wbe"}, "there is no pool \"wbe\" at revision 1"},
      {{"delete", "pool", "wbe"}, "there is no pool \"wbe\"; nothing was deleted"},
      {{"delete", "poool", "web"}, "\"poool\" is no kind; kinds are listener, route-table, "},
      {{"delete", "pool"}, "delete pool: names are missing; write, for example, "},
      {{"list", "listener", "--pool", "web"}, "--pool chooses backends; write: "},
      {{"--server", "foo", "list"}, "\"foo\" is no address of a control plane; write IP:PORT, "},
      {{"--server", "foo:0", "list"}, "is no address of a control plane"},
      {{"--server", "unix:", "list"}, "is no address of a control plane"},
      {{"context", "set", "a", "foo"}, "\"foo\" is no address of a control plane"},
      {{"status", "--watch", "--check"}, "--watch excludes --check; try convoyctl status --help"},
      {{"apply", "-f", "-", "--dry-run", "--wait", "1s"}, "--dry-run excludes --wait; try "},
      {{"watch", "--count", "0"}, "--count: \"0\" must be a whole number, 1 or more; try "},
      {{"list", "backend", "--pool", ""}, "--pool: must not be empty; try convoyctl list --help"},
      {{"--server", "", "list"}, "--server: must not be empty; try convoyctl list --help"},
      {{"--context", "", "list"}, "--context: must not be empty; try convoyctl list --help"},
      {{"--server", "http://127.0.0.1:1", "list"},
       "\"http://127.0.0.1:1\" is no address of a control plane; write IP:PORT, NAME:PORT or "},
      {{"node", "bootstrap", "--id", "a", "--control-plane", "1.2.3.4"},
       "--control-plane: \"1.2.3.4\" is no address of a control plane; write IP:PORT, NAME:PORT or "
       "unix:/path, such as 127.0.0.1:18000"},
  };
  for (const Mistake& mistake : mistakes) {
    const Result result = run(mistake.arguments);
    EXPECT_NE(result.code, kOk);
    EXPECT_NE(result.err.find(mistake.says), std::string::npos)
        << "says:   " << result.err << "not:    " << mistake.says;
  }
}

TEST_F(FirstSteps, TextThatIsNoUtf8IsRefusedByTheNameOfItsOption) {
  const Mistake mistakes[] = {
      {{"get", "pool", "a\xff"}, "convoyctl: name: is not valid UTF-8; try convoyctl get --help\n"},
      {{"delete", "pool", "a\xff"},
       "convoyctl: resources: is not valid UTF-8; try convoyctl delete --help\n"},
      {{"apply", "-f", "-", "--comment", "bad\xff"},
       "convoyctl: --comment: is not valid UTF-8; try convoyctl apply --help\n"},
      {{"apply", "-f", "-", "--author", "\xc3"},
       "convoyctl: --author: is not valid UTF-8; try convoyctl apply --help\n"},
      {{"status", "--label", "a=\xff"},
       "convoyctl: --label: is not valid UTF-8; try convoyctl status --help\n"},
      {{"--server", "\xff:1", "list"},
       "convoyctl: --server: is not valid UTF-8; try convoyctl --help\n"},
      {{"context", "set", "\xff", "127.0.0.1:1"},
       "convoyctl: name: is not valid UTF-8; try convoyctl context set --help\n"},
      {{"node", "bootstrap", "--id", "\xff"},
       "convoyctl: --id: is not valid UTF-8; try convoyctl node bootstrap --help\n"},
      {{"frob\xff"}, "convoyctl: \"frob?\" is no command of convoyctl; "},
  };
  for (const Mistake& mistake : mistakes) {
    const Result result = run(mistake.arguments, kTenLines);
    EXPECT_EQ(result.code, kBadInput);
    EXPECT_EQ(result.err.find(mistake.says), 0u) << result.err;
  }
  env_["USER"] = "ann\xff";
  const Result result = apply(kTenLines);
  EXPECT_EQ(result.code, kBadInput);
  EXPECT_EQ(result.err, "convoyctl: $USER is not valid UTF-8; --author TEXT says who changes it\n");
  EXPECT_EQ(run({"list"}).out, "nothing\n");
  // A file is called what it is called.
  const std::string path = folder_.file("a\xff.yaml");
  std::ofstream(path) << kTenLines;
  EXPECT_EQ(run({"apply", "-f", path, "--author", "ann"}).code, kOk);
}

TEST_F(FirstSteps, ThePortOfTheNodesIsNotTheManagementPort) {
  const Result result = run({"--server", xds_, "list"});
  EXPECT_EQ(result.code, kFailure);
  EXPECT_EQ(result.err,
            "convoyctl: " + xds_ +
                " answers, but does not know this call: it is not the management address of "
                "convoy-control (its --listen; --xds-listen is for nodes), or an older one\n");
}

TEST_F(FirstSteps, WithoutThePoolThereIsNoListOfItsBackends) {
  ASSERT_EQ(apply(kTenLines + std::string("- name: idle\n")).code, kOk);
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"list", "backend", "--pool", "nope"},
                                             {"list", "--pool", "nope", "-o", "json"},
                                             {"list", "--pool", "nope", "--revision", "1"}}) {
    const Result result = run(command);
    EXPECT_EQ(result.code, kNotFound);
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find("there is no pool \"nope\""), std::string::npos) << result.err;
  }
  const Result idle = run({"list", "backend", "--pool", "idle"});
  EXPECT_EQ(idle.code, kOk);
  EXPECT_EQ(idle.out, "nothing\n");
}

TEST_F(FirstSteps, DeletesAndWatches) {
  ASSERT_EQ(apply(kTenLines).code, kOk);
  const Result deleted = run({"delete", "backend", "web/10.0.0.1:8080", "--wait", "1s"});
  EXPECT_EQ(deleted.code, kOk) << deleted.err;
  EXPECT_NE(deleted.out.find("deleted backend web/10.0.0.1:8080"), std::string::npos);
  const Result watched = run({"watch", "--after", "0", "--count", "2"});
  EXPECT_EQ(watched.code, kOk);
  EXPECT_NE(watched.out.find("created pool web"), std::string::npos);
  EXPECT_NE(watched.out.find("deleted backend web/10.0.0.1:8080"), std::string::npos);
  const Result pools = run({"history", "pool", "web", "--contents"});
  EXPECT_NE(pools.out.find("revision 1"), std::string::npos);
  EXPECT_EQ(pools.out.find("more"), std::string::npos);
}

// With a file of its own, since certificates are beside the file that names them.
class CertificateSteps : public FirstSteps {
 protected:
  Result applyFile(const std::string& yaml, std::vector<std::string> more = {}) {
    std::ofstream(path_) << yaml;
    more.insert(more.begin(), {"apply", "-f", path_});
    return run(more);
  }
  void write(const std::string& name, const std::string& of) {
    std::ofstream(folder_.file(name)) << test::caFile(of);
  }

  const std::string path_ = folder_.file("web.yaml");
  const std::string web_ =
      "certificates:\n"
      "- name: web\n"
      "  certificate_file: web.pem\n"
      "  private_key_file: web.key\n";
};

TEST_F(CertificateSteps, FilesAreReadAndNeverShown) {
  write("web.pem", "ecdsa.pem");
  write("web.key", "ecdsa.key");
  Result result = applyFile(web_);
  EXPECT_EQ(result.code, kOk) << result.err;
  EXPECT_EQ(result.out, "revision 1: 1 created\n  created certificate web\n");
  EXPECT_EQ(applyFile(web_).out, "nothing to change, still revision 1\n");
  result = run({"list", "certificates"});
  EXPECT_NE(result.out.find("ECDSA P-256, example.com www.example.com IP:127.0.0.1, expires 2"),
            std::string::npos)
      << result.out;
  // Made for 90 days, in this second or in one before it.
  EXPECT_TRUE(result.out.find("(in 89 days)") != std::string::npos ||
              result.out.find("(in 90 days)") != std::string::npos)
      << result.out;

  write("web.pem", "renewed.pem");
  write("web.key", "renewed.key");
  result = applyFile(web_, {"--dry-run"});
  EXPECT_NE(result.out.find("+   subject: \"CN=renewed\""), std::string::npos) << result.out;
  EXPECT_EQ(applyFile(web_).code, kOk);
  std::string all = result.out;
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"get", "certificate", "web", "-o", "json"},
                                             {"list", "-o", "yaml"},
                                             {"history", "--contents"},
                                             {"watch", "--after", "0", "--count", "2"}}) {
    result = run(command);
    EXPECT_EQ(result.code, kOk) << result.err;
    EXPECT_NE(result.out.find("CN=renewed"), std::string::npos) << result.out;
    all += result.out;
  }
  EXPECT_EQ(all.find("BEGIN"), std::string::npos);
  // What list prints changes nothing when it is applied.
  EXPECT_EQ(apply(run({"list", "-o", "yaml"}).out, {"--prune"}).out,
            "nothing to change, still revision 2\n");
  EXPECT_EQ(run({"delete", "certificate", "web"}).code, kOk);
}

TEST_F(CertificateSteps, MistakesAreShownWhereTheFileIsNamed) {
  Result result = applyFile(web_);
  EXPECT_EQ(result.code, kBadInput);
  EXPECT_EQ(result.err.find(path_ + ":3:3: certificates[0].certificate_file: cannot be read: "), 0u)
      << result.err;
  write("web.pem", "ecdsa.pem");
  write("web.key", "rsa.key");
  result = applyFile(web_);
  EXPECT_EQ(result.code, kBadInput);
  EXPECT_EQ(result.err.find(path_ + ":4:3: certificates[0].private_key: is not the key of "), 0u)
      << result.err;
  result = applyFile("certificates:\n- {name: web}\n");
  EXPECT_EQ(result.err.find(path_ + ":2:3: certificates[0].certificate: "), 0u) << result.err;
}

TEST_F(CertificateSteps, AFileOfTlsThatIsNoneIsNamed) {
  const auto file = [this](const std::string& name) { return folder_.file(name); };
  for (const char* name : {"ca.pem", "ecdsa.pem", "ecdsa.key", "rsa.key"}) write(name, name);
  std::ofstream(file("none")) << "no PEM\n";
  std::ofstream(file("broken")) << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const struct {
    TlsPaths tls;
    std::string says;
  } kCases[] = {
      {{file("none")}, file("none") + ": no certificate in PEM form "},
      {{file("broken")}, file("broken") + ": certificate 1 in it cannot be read "},
      {{file("missing")}, file("missing") + ": cannot be read: No such file or directory"},
      {{file("")}, file("") + ": cannot be read: Is a directory"},
      {{"/dev/zero"}, "/dev/zero: is not a regular file"},
      {{file("ca.pem"), file("none"), file("ecdsa.key")}, file("none") + ": no certificate "},
      {{file("ca.pem"), file("ecdsa.pem"), file("none")}, file("none") + ": no private key "},
      {{file("ca.pem"), file("ecdsa.pem"), file("rsa.key")},
       file("rsa.key") + ": is not the key of CN=ecdsa in " + file("ecdsa.pem")},
  };
  for (const auto& test : kCases) {
    std::vector<std::string> command = {"list", "--ca", test.tls.ca};
    if (!test.tls.key.empty()) {
      command.insert(command.end(), {"--cert", test.tls.certificate, "--key", test.tls.key});
    }
    const Result result = run(command);
    EXPECT_EQ(result.code, kBadInput);
    EXPECT_EQ(result.err.find("convoyctl: " + test.says), 0u) << result.err;
  }
}

TEST_F(FirstSteps, StatusAndBootstrap) {
  EXPECT_EQ(run({"status", "--check"}).code, kOk);
  EXPECT_EQ(run({"status", "-o", "json"}).code, kOk);
  EXPECT_NE(run({"status"}).out.find("no nodes"), std::string::npos);
  const Result good = run({"node", "bootstrap", "--id", "a", "--label", "zone=b"});
  EXPECT_EQ(good.code, kOk);
  EXPECT_NE(good.out.find("zone: b"), std::string::npos);
  EXPECT_EQ(run({"node", "bootstrap", "--id", "a", "--label", "zone"}).code, kBadInput);
  EXPECT_EQ(run({"node", "bootstrap", "--id", "a", "--control-plane", "x"}).code, kBadInput);
}

TEST_F(ConvoyctlTest, ContextsNameControlPlanes) {
  EXPECT_EQ(run({"context", "list"}).code, kOk);
  EXPECT_EQ(run({"context", "set", "local", server_}).code, kOk);
  EXPECT_EQ(run({"context", "set", "dead", "unix:/nonexistent/socket"}).code, kOk);
  EXPECT_EQ(run({"list"}).code, kOk);  // the first one is the current one
  EXPECT_EQ(run({"context", "use", "dead"}).code, kOk);
  EXPECT_EQ(run({"list"}).code, kUnreachable);
  EXPECT_EQ(run({"list", "--context", "local"}).code, kOk);
  EXPECT_EQ(run({"context", "delete", "dead"}).code, kOk);
  EXPECT_EQ(run({"context", "use", "dead"}).code, kNotFound);
}

TEST_F(ConvoyctlTest, AContextHasANameThatCanBeTyped) {
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a\tb"),
                                  std::string("-a"), std::string(129, 'a')}) {
    const Result result = run({"context", "set", "--", name, "127.0.0.1:1"});
    EXPECT_EQ(result.code, kBadInput) << name;
    EXPECT_NE(result.err.find("is no name of a context; write 1 to 128 characters without blanks"),
              std::string::npos)
        << result.err;
  }
  EXPECT_EQ(run({"context", "set", "ann@prod/eu-1", "127.0.0.1:1"}).code, kOk);
  EXPECT_EQ(run({"context", "delete", "ann@prod/eu-1"}).code, kOk);
}

TEST_F(ConvoyctlTest, AFolderIsNoFileOfContexts) {
  env_["CONVOY_CONTEXTS"] = folder_.file("folder");
  std::filesystem::create_directory(folder_.file("folder"));
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"context", "list"}, {"context", "set", "a", "127.0.0.1:1"}, {"list"}}) {
    const Result result = run(command);
    EXPECT_EQ(result.code, kBadInput);
    EXPECT_EQ(result.err, "convoyctl: " + folder_.file("folder") +
                              ": is a folder; contexts are kept in a file\n");
  }
  EXPECT_FALSE(std::filesystem::exists(folder_.file("folder.new")));
}

TEST_F(ConvoyctlTest, CompletionKnowsTheCommands) {
  const Result bash = run({"completion", "bash"});
  EXPECT_NE(bash.out.find("'node bootstrap'"), std::string::npos);
  EXPECT_NE(bash.out.find("complete -F _convoyctl convoyctl"), std::string::npos);
  const Result zsh = run({"completion", "zsh"});
  EXPECT_NE(zsh.out.find("bashcompinit"), std::string::npos);
  // There these are the shell's: to make them empty takes PATH away, and the words that are typed.
  for (const char* taken : {" path=", " words="}) {
    EXPECT_EQ(zsh.out.find(taken), std::string::npos) << taken;
  }
  EXPECT_EQ(run({"completion", "fish"}).code, kBadInput);
}

// What a shell prints for a command.
std::string shell(const std::string& command) {
  FILE* output = popen(command.c_str(), "r");
  std::string text;
  for (char buffer[4096]; fgets(buffer, sizeof(buffer), output) != nullptr;) text += buffer;
  EXPECT_EQ(pclose(output), 0) << command;
  return text;
}

TEST_F(ConvoyctlTest, AShellCompletesCommandsAndFlags) {
  for (const char* name : {"bash", "zsh"}) {
    std::ofstream(folder_.file(name)) << run({"completion", name}).out;
    EXPECT_EQ(shell("bash -n " + folder_.file(name) + " 2>&1"), "");
  }
  const struct {
    const char* typed;  // after convoyctl; the last word is the one to complete
    const char* offered;
  } kCases[] = {
      {"node bootst", "bootstrap"},
      {"node bootstrap --co", "--control-plane --context"},
      {"--server 127.0.0.1:1 hist", "history"},
      {"apply --se", "--server"},
      {"get cert", "certificate"},
      {"list -o j", "json"},
      {"--vers", "--version"},
      {"apply --vers", ""},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(
        shell("bash -c 'source " + folder_.file("bash") + "; COMP_WORDS=(convoyctl " + test.typed +
              "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _convoyctl; echo "
              "\"${COMPREPLY[*]}\"'"),
        std::string(test.offered) + "\n")
        << test.typed;
  }
}

// A control plane whose disk is full and whose node says nothing.
class TroubledService final : public v1::ConfigService::Service {
  grpc::Status Apply(grpc::ServerContext*, const v1::ApplyRequest*,
                     v1::ApplyResponse* response) override {
    response->mutable_revision()->set_number(7);
    v1::Node& node = *response->add_nodes();
    node.set_id("a");
    node.set_state(v1::Node::PENDING);
    return grpc::Status::OK;
  }
  grpc::Status List(grpc::ServerContext*, const v1::ListRequest*, v1::ListResponse*) override {
    return {grpc::StatusCode::INTERNAL, "disk I/O error"};
  }
  grpc::Status Get(grpc::ServerContext*, const v1::GetRequest*, v1::GetResponse*) override {
    return {grpc::StatusCode::INTERNAL, ""};
  }
};

TEST_F(ConvoyctlTest, ExitCodesOfAControlPlaneInTrouble) {
  TroubledService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  env_["CONVOY_SERVER"] = "127.0.0.1:" + std::to_string(port);
  const Result failed = run({"list"});
  EXPECT_EQ(failed.code, kFailure);
  EXPECT_NE(failed.err.find(" says: disk I/O error (gRPC code 13)"), std::string::npos)
      << failed.err;
  const Result silent = run({"get", "pool", "web"});
  EXPECT_EQ(silent.code, kFailure);
  EXPECT_NE(silent.err.find(" gives no reason (gRPC code 13)"), std::string::npos) << silent.err;
  const Result behind = apply(kTenLines, {"--wait", "1s"});
  EXPECT_EQ(behind.code, kNodesBehind);
  EXPECT_EQ(behind.err,
            "node a has not answered in time\n"
            "convoyctl: committed, but not in force on every node\n");
}

TEST(ParseWaitTest, TakesTimesUpToAnHour) {
  const struct {
    const char* text;
    int64_t ms;
  } kCases[] = {{"500ms", 500},    {"30s", 30'000}, {"1.5s", 1500}, {"5m", 300'000},
                {"1h", 3'600'000}, {"0s", 0},       {"2h", -1},     {"5", -1},
                {"-1s", -1},       {"", -1},        {"s", -1},      {"nan s", -1}};
  for (const auto& test : kCases) EXPECT_EQ(parseWait(test.text), test.ms) << test.text;
}

}  // namespace
}  // namespace convoy::tools::ctl
