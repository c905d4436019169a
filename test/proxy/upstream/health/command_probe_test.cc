#include "proxy/upstream/health/command_probe.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "test/proxy/upstream/health/health_fixture.h"

namespace convoy::upstream {
namespace {

class CommandProbeTest : public test::HealthTest {};

TEST_F(CommandProbeTest, TellsWhomToCheck) {
  std::string name = testing::TempDir() + "/commandsXXXXXX";
  const std::string folder = ::mkdtemp(name.data());
  std::ofstream(folder + "/check") << "#!/bin/sh\necho \"$1 $CONVOY_CLUSTER $CONVOY_ADDRESS "
                                      "$CONVOY_HOST $CONVOY_PORT\" >>out\n";
  ::chmod((folder + "/check").c_str(), 0755);
  CommandRunner runner(loop_.loop(), folder);
  ProbeServices services{.loop = loop_.loop(), .io = io_, .commands = runner, .transport_slot = 0};
  auto check = test::tcpCheck();
  check->checker = CommandCheckSpec{.command = "check", .arguments = {"a"}};
  probe_ = makeProbe(services, owner(check), target(),
                     [this](ProbeResult result) { result_ = std::move(result); });
  for (int i = 0; i < 2; ++i) {
    start();
    ASSERT_TRUE(loop_.runUntil([&] { return result_.has_value(); }));
    EXPECT_EQ(result(), "Pass");
  }
  std::ostringstream text;
  text << std::ifstream(folder + "/out").rdbuf();
  EXPECT_EQ(text.str(), "a web 10.0.0.1:80 10.0.0.1 80\na web 10.0.0.1:80 10.0.0.1 80\n");
  probe_.reset();
  runner.shutdown();
  run();
}

TEST_F(CommandProbeTest, ANodeWithoutADirectoryRunsNone) {
  auto check = test::tcpCheck();
  check->checker = CommandCheckSpec{.command = "check", .arguments = {}};
  make(owner(check), target());
  start();
  run();
  EXPECT_EQ(result(), "Fail: this node allows no commands (--health-command-dir)");
}

}  // namespace
}  // namespace convoy::upstream
