#include "proxy/config/scalars.h"

#include <cmath>

#include "gtest/gtest.h"

namespace convoy::config {
namespace {

DocumentNode plain(std::string text) {
  DocumentNode node;
  node.kind = DocumentNode::Kind::Scalar;
  node.plain = true;
  node.text = std::move(text);
  return node;
}

DocumentNode quoted(std::string text) {
  DocumentNode node = plain(std::move(text));
  node.plain = false;
  return node;
}

DocumentNode ofKind(DocumentNode::Kind kind) {
  DocumentNode node;
  node.kind = kind;
  return node;
}

TEST(Scalars, Bools) {
  for (const char* text : {"true", "True", "TRUE", "yes", "on", "y"}) {
    EXPECT_EQ(parseBool(plain(text)), Scalar<bool>(true)) << text;
  }
  for (const char* text : {"false", "no", "Off", "n"}) {
    EXPECT_EQ(parseBool(plain(text)), Scalar<bool>(false)) << text;
  }
  EXPECT_EQ(parseBool(quoted("true")), Scalar<bool>(true));
  EXPECT_EQ(parseBool(quoted("yes")),
            Scalar<bool>(std::string("must be true or false, not \"yes\"")));
  EXPECT_EQ(parseBool(plain("1")), Scalar<bool>(std::string("must be true or false, not \"1\"")));
  EXPECT_EQ(parseBool(ofKind(DocumentNode::Kind::List)),
            Scalar<bool>(std::string("must be true or false, not a list")));
}

struct IntegerCase {
  std::string text;
  bool plain;
  std::optional<int64_t> value;
};

TEST(Scalars, Integers) {
  const IntegerCase cases[] = {
      {"0", true, 0},
      {"80", true, 80},
      {"80", false, 80},
      {"+5", true, 5},
      {"+5", false, std::nullopt},
      {"-5", true, -5},
      {"1e3", true, 1000},
      {"80.0", true, 80},
      {"0x1F", true, 31},
      {"0x1F", false, std::nullopt},
      {"0644", true, 420},
      {"0644", false, 644},
      {"089", true, 89},
      {"2147483647", true, 2147483647},
      {"2147483648", true, std::nullopt},
      {"-2147483648", true, -2147483648LL},
      {"-2147483649", true, std::nullopt},
      {"1.5", true, std::nullopt},
      {"99999999999999999999999", true, std::nullopt},
      {"1e300", true, std::nullopt},
      {"", false, std::nullopt},
      {"-", true, std::nullopt},
      {"x", true, std::nullopt},
      {"1x", true, std::nullopt},
      {"0x", true, std::nullopt},
      {" 1", false, std::nullopt},
      {"nan", true, std::nullopt},
  };
  for (const IntegerCase& c : cases) {
    const DocumentNode node = c.plain ? plain(c.text) : quoted(c.text);
    const Scalar<int64_t> scalar = parseSigned(node, INT32_MIN, INT32_MAX);
    if (c.value.has_value()) {
      EXPECT_EQ(scalar, Scalar<int64_t>(*c.value)) << c.text;
    } else {
      EXPECT_EQ(scalar.index(), 1u) << c.text;
    }
  }
}

TEST(Scalars, IntegersAtTheEndsOf64Bits) {
  EXPECT_EQ(parseSigned(plain("-9223372036854775808"), INT64_MIN, INT64_MAX),
            Scalar<int64_t>(INT64_MIN));
  EXPECT_EQ(parseSigned(plain("9223372036854775807"), INT64_MIN, INT64_MAX),
            Scalar<int64_t>(INT64_MAX));
  EXPECT_EQ(parseSigned(plain("9223372036854775808"), INT64_MIN, INT64_MAX).index(), 1u);
  EXPECT_EQ(parseUnsigned(quoted("18446744073709551615"), UINT64_MAX),
            Scalar<uint64_t>(UINT64_MAX));
  EXPECT_EQ(parseUnsigned(plain("18446744073709551616"), UINT64_MAX).index(), 1u);
}

TEST(Scalars, UnsignedIntegers) {
  EXPECT_EQ(parseUnsigned(plain("65535"), 65535), Scalar<uint64_t>(uint64_t{65535}));
  EXPECT_EQ(parseUnsigned(plain("65536"), 65535),
            Scalar<uint64_t>(std::string("must be a whole number from 0 to 65535")));
  EXPECT_EQ(parseUnsigned(plain("-1"), 65535),
            Scalar<uint64_t>(std::string("must not be negative")));
  EXPECT_EQ(parseUnsigned(plain("-0"), 65535), Scalar<uint64_t>(uint64_t{0}));
  EXPECT_EQ(parseUnsigned(plain("many"), 65535),
            Scalar<uint64_t>(std::string("must be a whole number, not \"many\"")));
  EXPECT_EQ(parseUnsigned(ofKind(DocumentNode::Kind::Map), 5),
            Scalar<uint64_t>(std::string("must be a whole number, not a map")));
  EXPECT_EQ(parseSigned(ofKind(DocumentNode::Kind::Null), 0, 5),
            Scalar<int64_t>(std::string("must be a whole number, not null")));
}

TEST(Scalars, Doubles) {
  EXPECT_EQ(parseDouble(plain("1.5")), Scalar<double>(1.5));
  EXPECT_EQ(parseDouble(quoted("-1e3")), Scalar<double>(-1000.0));
  EXPECT_TRUE(std::isnan(std::get<0>(parseDouble(plain("NaN")))));
  EXPECT_EQ(parseDouble(plain("Infinity")), Scalar<double>(INFINITY));
  EXPECT_EQ(parseDouble(plain("-.inf")), Scalar<double>(-INFINITY));
  EXPECT_EQ(parseDouble(plain("1e999")).index(), 1u);
  EXPECT_EQ(parseDouble(plain("x")), Scalar<double>(std::string("must be a number, not \"x\"")));
}

TEST(Scalars, Bytes) {
  const auto bytes = [](std::string text) { return parseBytes(quoted(std::move(text))); };
  EXPECT_EQ(bytes("aGk="), Scalar<std::string>(std::in_place_index<0>, "hi"));
  EXPECT_EQ(bytes("_-8"), Scalar<std::string>(std::in_place_index<0>, "\xFF\xEF"));
  EXPECT_EQ(bytes("/+8="), Scalar<std::string>(std::in_place_index<0>, "\xFF\xEF"));
  EXPECT_EQ(bytes("***").index(), 1u);
}

struct DurationCase {
  std::string text;
  bool units;
  std::optional<std::pair<int64_t, int32_t>> value;
};

TEST(Scalars, Durations) {
  const DurationCase cases[] = {
      {"5s", false, {{5, 0}}},
      {"0.25s", false, {{0, 250'000'000}}},
      {"-1.5s", false, {{-1, -500'000'000}}},
      {"0.000000001s", false, {{0, 1}}},
      {"315576000000s", false, {{315'576'000'000, 0}}},
      {"315576000001s", false, std::nullopt},
      {"0.0000000001s", false, std::nullopt},
      {"5", false, std::nullopt},
      {"s", false, std::nullopt},
      {"5.s", false, std::nullopt},
      {"5m", false, std::nullopt},
      {"250ms", false, std::nullopt},
      {"five", true, std::nullopt},
      {"250ms", true, {{0, 250'000'000}}},
      {"1500ms", true, {{1, 500'000'000}}},
      {"10us", true, {{0, 10'000}}},
      {"5m", true, {{300, 0}}},
      {"1.5h", true, {{5400, 0}}},
      {"2d", true, {{172'800, 0}}},
      {"5s", true, {{5, 0}}},
      {"315576000000d", true, std::nullopt},
  };
  for (const DurationCase& c : cases) {
    const Scalar<SecondsAndNanos> scalar = parseDuration(plain(c.text), c.units);
    ASSERT_EQ(scalar.index(), c.value.has_value() ? 0u : 1u) << c.text;
    if (!c.value.has_value()) continue;
    EXPECT_EQ(std::get<0>(scalar).seconds, c.value->first) << c.text;
    EXPECT_EQ(std::get<0>(scalar).nanos, c.value->second) << c.text;
  }
  EXPECT_EQ(std::get<1>(parseDuration(plain("5"), false)),
            "must be a duration such as \"5s\" or \"0.25s\"; write \"5s\" if seconds are meant");
  EXPECT_EQ(std::get<1>(parseDuration(ofKind(DocumentNode::Kind::Map), false)),
            "must be a duration such as \"5s\" or \"0.25s\", not a map");
}

TEST(Scalars, PlainTextIsResolved) {
  using Resolved = std::variant<bool, double, std::string>;
  EXPECT_EQ(resolvePlain(plain("true")), Resolved(true));
  EXPECT_EQ(resolvePlain(plain("False")), Resolved(false));
  EXPECT_EQ(resolvePlain(plain("42")), Resolved(42.0));
  EXPECT_EQ(resolvePlain(plain("-1.5")), Resolved(-1.5));
  EXPECT_EQ(resolvePlain(plain("-3")), Resolved(-3.0));
  EXPECT_EQ(resolvePlain(plain("0x10")), Resolved(16.0));
  EXPECT_EQ(resolvePlain(plain("1.2.3")), Resolved(std::string("1.2.3")));
  EXPECT_EQ(resolvePlain(plain("infinity")), Resolved(std::string("infinity")));
  EXPECT_EQ(resolvePlain(quoted("42")), Resolved(std::string("42")));
}

TEST(NearestName, SuggestsOnlyWhatIsNear) {
  NearestName nearest("adress");
  nearest.consider("name");
  nearest.consider("additional_addresses");
  nearest.consider("address");
  EXPECT_EQ(nearest.best(), "address");
  EXPECT_EQ(nearest.suggestion(), "; did you mean \"address\"?");

  NearestName none("bananas");
  none.consider("address");
  none.consider("");
  EXPECT_EQ(none.suggestion(), "");

  NearestName huge(std::string(1 << 20, 'x'));
  huge.consider("address");
  EXPECT_EQ(huge.best(), "");
}

}  // namespace
}  // namespace convoy::config
