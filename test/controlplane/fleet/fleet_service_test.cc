#include "controlplane/fleet/fleet_service.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "test/common/simulated_clock.h"

namespace convoy::controlplane::fleet {
namespace {

class FleetServiceTest : public testing::Test {
 protected:
  FleetServiceTest() {
    for (int i = 0; i < 150; ++i) {
      registry_.connected({absl::StrCat("n", 100 + i), "", {}, "", ""});
    }
  }
  grpc::Status list(int page_size, const std::string& token, v1::ListNodesResponse* response) {
    v1::ListNodesRequest request;
    request.set_page_size(page_size);
    request.set_page_token(token);
    response->Clear();
    return service_.ListNodes(nullptr, &request, response);
  }

  test::SimulatedClock clock_;
  Registry registry_{&clock_};
  StopSignal stop_;
  FleetService service_{&registry_, [] { return 9; }, &stop_};
};

TEST_F(FleetServiceTest, ListsPageByPage) {
  v1::ListNodesResponse response;
  ASSERT_TRUE(list(0, "", &response).ok());
  EXPECT_EQ(response.nodes_size(), 100);
  EXPECT_EQ(response.revision(), 9);
  EXPECT_EQ(response.next_page_token(), "n199");
  ASSERT_TRUE(list(0, response.next_page_token(), &response).ok());
  EXPECT_EQ(response.nodes_size(), 50);
  EXPECT_EQ(response.nodes(0).id(), "n200");
  EXPECT_EQ(response.next_page_token(), "");
  ASSERT_TRUE(list(150, "", &response).ok());
  EXPECT_EQ(response.nodes_size(), 150);
  EXPECT_EQ(response.next_page_token(), "");
}

TEST_F(FleetServiceTest, PagesHaveALimit) {
  v1::ListNodesResponse response;
  EXPECT_EQ(list(1001, "", &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(list(-1, "", &response).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace convoy::controlplane::fleet
