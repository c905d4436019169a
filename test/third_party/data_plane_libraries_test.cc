// What convoy-proxy links, in one process: libuv, nghttp2, BoringSSL, c-ares, protobuf, absl,
// yaml-cpp, RE2, hiredis.

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/strings/str_cat.h>
#include <ares.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>
#include <hiredis/hiredis.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <re2/re2.h>
#include <uv.h>
#include <yaml-cpp/yaml.h>

#include <memory>
#include <string>

namespace convoy {
namespace {

TEST(DataPlaneLibraries, LibuvRunsAPostedCallback) {
  uv_loop_t loop;
  ASSERT_EQ(uv_loop_init(&loop), 0);
  uv_async_t async;
  bool called = false;
  async.data = &called;
  ASSERT_EQ(uv_async_init(&loop, &async,
                          [](uv_async_t* handle) {
                            *static_cast<bool*>(handle->data) = true;
                            uv_close(reinterpret_cast<uv_handle_t*>(handle), nullptr);
                          }),
            0);
  ASSERT_EQ(uv_async_send(&async), 0);
  EXPECT_EQ(uv_run(&loop, UV_RUN_DEFAULT), 0);
  EXPECT_TRUE(called);
  EXPECT_EQ(uv_loop_close(&loop), 0);
}

TEST(DataPlaneLibraries, Nghttp2HasTheResetAndContinuationLimits) {
  nghttp2_option* option = nullptr;
  ASSERT_EQ(nghttp2_option_new(&option), 0);
  nghttp2_option_set_stream_reset_rate_limit(option, 100, 10);
  nghttp2_option_set_max_continuations(option, 8);
  nghttp2_option_del(option);
  EXPECT_GE(nghttp2_version(0)->version_num, 0x013400);
}

TEST(DataPlaneLibraries, BoringSslIsTheOneThatRuns) {
  bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_method()));
  ASSERT_NE(context, nullptr);
  EXPECT_EQ(SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION), 1);
  EXPECT_NE(std::string(OpenSSL_version(OPENSSL_VERSION)).find("BoringSSL"), std::string::npos);
}

TEST(DataPlaneLibraries, CAresOpensAChannel) {
  ASSERT_EQ(ares_library_init(ARES_LIB_INIT_ALL), ARES_SUCCESS);
  ares_channel channel = nullptr;
  ASSERT_EQ(ares_init(&channel), ARES_SUCCESS);
  ares_destroy(channel);
  ares_library_cleanup();
}

TEST(DataPlaneLibraries, ProtobufPrintsJson) {
  google::protobuf::Duration duration;
  duration.set_seconds(3);
  std::string json;
  ASSERT_TRUE(google::protobuf::util::MessageToJsonString(duration, &json).ok());
  EXPECT_EQ(json, "\"3s\"");
}

TEST(DataPlaneLibraries, AbslStatusAndContainers) {
  absl::flat_hash_map<std::string, int> map{{absl::StrCat("a", 1), 1}};
  absl::StatusOr<int> found = map.contains("a1") ? absl::StatusOr<int>(map.at("a1"))
                                                 : absl::StatusOr<int>(absl::NotFoundError("a1"));
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(*found, 1);
}

TEST(DataPlaneLibraries, YamlCppKeepsLines) {
  YAML::Node node = YAML::Load("a: 1\nb: 2\n");
  EXPECT_EQ(node["b"].Mark().line, 1);
}

TEST(DataPlaneLibraries, Re2Matches) {
  EXPECT_TRUE(RE2::FullMatch("/api/v1", "/api/v\\d+"));
}

TEST(DataPlaneLibraries, HiredisEncodesACommand) {
  char* command = nullptr;
  const int length = redisFormatCommand(&command, "PING");
  ASSERT_GT(length, 0);
  EXPECT_EQ(std::string(command, length), "*1\r\n$4\r\nPING\r\n");
  redisFreeCommand(command);
}

}  // namespace
}  // namespace convoy
