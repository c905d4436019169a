#include "proxy/upstream/health/probe.h"

#include "proxy/upstream/health/command_probe.h"
#include "proxy/upstream/health/http_probe.h"
#include "proxy/upstream/health/tcp_probe.h"
#include "test/proxy/upstream/health/health_fixture.h"

namespace convoy::upstream {
namespace {

class ProbeTest : public test::HealthTest {
 protected:
  template <class Expected, class Spec>
  void expectKind(Spec spec) {
    auto check = test::tcpCheck();
    check->checker = std::move(spec);
    make(owner(check), target());
    EXPECT_NE(dynamic_cast<Expected*>(probe_.get()), nullptr);
  }
};

TEST_F(ProbeTest, EachCheckHasItsProbe) {
  expectKind<TcpProbe>(TcpCheckSpec{});
  expectKind<HttpProbe>(HttpCheckSpec{});
  expectKind<GrpcProbe>(GrpcCheckSpec{});
  expectKind<CommandProbe>(CommandCheckSpec{});
}

}  // namespace
}  // namespace convoy::upstream
