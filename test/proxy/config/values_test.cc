#include "proxy/config/values.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "test/proxy/config/from_yaml.h"

namespace convoy::config {
namespace {

namespace core = envoy::config::core::v3;

TEST(Values, DurationsAreRoundedUp) {
  struct Case {
    int64_t seconds;
    int32_t nanos;
    int64_t milliseconds;  // -1: an error
  };
  const Case cases[] = {
      {0, 0, 0},
      {0, 1, 1},
      {0, 1'000'000, 1},
      {0, 1'000'001, 2},
      {5, 250'000'000, 5250},
      {3'155'760'000, 1, 3'155'760'000'000},
      {315'576'000'000, 0, 3'155'760'000'000},  // a hundred years will do
      {315'576'000'001, 0, -1},
      {-1, 0, -1},
      {0, -1, -1},
      {INT64_MAX, 0, -1},
      {0, INT32_MAX, -1},
  };
  for (const Case& c : cases) {
    google::protobuf::Duration duration;
    duration.set_seconds(c.seconds);
    duration.set_nanos(c.nanos);
    base::FieldReport report;
    const Milliseconds value = toMilliseconds(duration, "timeout", report);
    EXPECT_EQ(report.ok(), c.milliseconds >= 0) << c.seconds << " " << c.nanos;
    if (!report.ok()) continue;
    EXPECT_EQ(value.count(), c.milliseconds) << c.seconds << " " << c.nanos;
  }
}

TEST(Values, Addresses) {
  const auto convert = [](const char* yaml, Port port) {
    base::FieldReport report;
    const auto address = toAddress(fromYaml<core::Address>(yaml), port, report);
    return report.ok() && address.has_value() ? address->text()
           : brief(report.errors()).empty()   ? std::string("nothing")
                                              : brief(report.errors())[0];
  };
  EXPECT_EQ(convert("{socket_address: {address: 1.2.3.4, port_value: 0}}", Port::Any), "1.2.3.4:0");
  EXPECT_EQ(convert("{socket_address: {address: 1.2.3.4, port_value: 0}}", Port::NotZero),
            "socket_address.port_value: range: 0");
  EXPECT_EQ(convert("{pipe: {path: '@name'}}", Port::NotZero), "unix:@name");
  EXPECT_EQ(convert("{socket_address: {address: a.example, port_value: 1}}", Port::Any),
            "socket_address.address: address: a.example");
  // What others refuse is passed over in silence.
  EXPECT_EQ(convert("{}", Port::Any), "nothing");
  EXPECT_EQ(convert("{envoy_internal_address: {}}", Port::Any), "nothing");
  EXPECT_EQ(convert("{socket_address: {address: 1.2.3.4, port_value: 70000}}", Port::Any),
            "nothing");
}

TEST(Values, CidrRanges) {
  base::FieldReport report;
  const auto range =
      toCidrRange(fromYaml<core::CidrRange>("{address_prefix: 10.1.0.0, prefix_len: 16}"), report);
  ASSERT_TRUE(range.has_value());
  EXPECT_EQ(range->prefix_length, 16);
  EXPECT_FALSE(
      toCidrRange(fromYaml<core::CidrRange>("{address_prefix: 10.1.0.0, prefix_len: 33}"), report)
          .has_value());
  EXPECT_TRUE(
      toCidrRange(fromYaml<core::CidrRange>("{address_prefix: '::', prefix_len: 128}"), report)
          .has_value());
}

TEST(Values, Fractions) {
  const std::pair<const char*, uint32_t> cases[] = {
      {"{numerator: 50}", 500'000},
      {"{numerator: 50, denominator: TEN_THOUSAND}", 5'000},
      {"{numerator: 50, denominator: MILLION}", 50},
      {"{numerator: 4000000000}", 1'000'000},
  };
  for (const auto& [yaml, millionths] : cases) {
    EXPECT_EQ(toMillionths(fromYaml<envoy::type::v3::FractionalPercent>(yaml)), millionths) << yaml;
  }
}

TEST(Values, DataSources) {
  const std::string path = testing::TempDir() + "/source.txt";
  std::ofstream(path) << "from a file";
  const std::string folder = testing::TempDir() + "/source.folder";
  const std::string fifo = testing::TempDir() + "/source.fifo";
  ASSERT_EQ(mkdir(folder.c_str(), 0700), 0);
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  setenv("CONVOY_VALUES_TEST", "from the environment", 1);
  struct Case {
    std::string yaml;
    bool read_files;
    std::string text;
    Lines errors;
  };
  const Case cases[] = {
      {"{inline_string: text}", false, "text", {}},
      {"{inline_bytes: aGk=}", false, "hi", {}},
      {"{filename: " + path + "}", true, "from a file", {}},
      {"{filename: " + path + "}", false, "", {}},
      {"{filename: /does/not/exist}", true, "", {"filename: not_found: /does/not/exist"}},
      {"{filename: /dev/zero}", true, "", {"filename: not_regular: /dev/zero"}},
      {"{filename: " + folder + "}", true, "", {"filename: not_regular: " + folder}},
      {"{filename: " + fifo + "}", true, "", {"filename: not_regular: " + fifo}},
      {"{filename: " + fifo + "}", false, "", {}},
      {"{environment_variable: CONVOY_VALUES_TEST}", true, "from the environment", {}},
      {"{environment_variable: CONVOY_VALUES_TEST}", false, "", {}},
      {"{environment_variable: CONVOY_NOT_SET}",
       true,
       "",
       {"environment_variable: not_found: CONVOY_NOT_SET"}},
      {"{inline_string: '0123456789012345678901'}", false, "", {"inline_string: too_large: "}},
      {"{}", true, "", {}},
  };
  for (const Case& c : cases) {
    Context context = testContext();
    context.read_files = c.read_files;
    base::FieldReport report;
    EXPECT_EQ(readDataSource(fromYaml<core::DataSource>(c.yaml), 20, context, report), c.text)
        << c.yaml;
    EXPECT_EQ(brief(report.errors()), c.errors) << c.yaml;
  }
}

TEST(Values, ConfigSources) {
  const auto errorsOf = [](const char* yaml) {
    base::FieldReport report;
    toFetchTimeout(fromYaml<core::ConfigSource>(yaml), report);
    return brief(report.errors());
  };
  EXPECT_EQ(errorsOf("{ads: {}}"), Lines());
  EXPECT_EQ(errorsOf("{ads: {}, resource_api_version: V3}"), Lines());
  EXPECT_EQ(errorsOf("{ads: {}, resource_api_version: V2}"),
            Lines({"resource_api_version: unsupported_value: V2"}));
  EXPECT_EQ(errorsOf("{path: /x, resource_api_version: V2}"), Lines());  // the path is refused
  EXPECT_EQ(errorsOf("{ads: {}, initial_fetch_timeout: -1s}").size(), 1u);

  const auto timeoutOf = [](const char* yaml) {
    base::FieldReport report;
    return toFetchTimeout(fromYaml<core::ConfigSource>(yaml), report);
  };
  EXPECT_EQ(timeoutOf("{ads: {}}"), std::chrono::seconds(15));
  EXPECT_EQ(timeoutOf("{path: /x}"), std::chrono::seconds(15));
  EXPECT_EQ(timeoutOf("{ads: {}, initial_fetch_timeout: 0s}"), Milliseconds(0));
  EXPECT_EQ(timeoutOf("{ads: {}, initial_fetch_timeout: 0.25s}"), Milliseconds(250));
  EXPECT_EQ(timeoutOf("{ads: {}, initial_fetch_timeout: 315576000000s}"),
            std::chrono::hours(24 * 365));
}

TEST(Values, RegularExpressionsThatNeedTooMuchAreRefused) {
  base::FieldReport report;
  checkRegex("a{1000}", "fine", report);
  EXPECT_TRUE(report.ok());
  checkRegex("((a{100}){100}){100}", "large", report);
  EXPECT_FALSE(report.ok());
}

TEST(Values, StringMatchesOfOtherKinds) {
  base::FieldReport report;
  EXPECT_FALSE(
      toStringMatch(fromYaml<envoy::type::matcher::v3::StringMatcher>("{}"), report).has_value());
  EXPECT_EQ(
      toStringMatch(fromYaml<envoy::type::matcher::v3::StringMatcher>("{contains: x}"), report)
          ->kind,
      route::StringMatch::Kind::Contains);
}

}  // namespace
}  // namespace convoy::config
