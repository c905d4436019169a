#include "proxy/http/hop_by_hop.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace convoy::http {
namespace {

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

struct Case {
  std::string_view what;
  Fields fields;
  std::string_view kept;  // "name=value;" of each
};

const Case kCases[] = {
    {"nothing to do", {{"a", "1"}, {"Accept", "*/*"}}, "a=1;Accept=*/*;"},
    {"the fields of one hop",
     {{"Connection", "close"},
      {"Keep-Alive", "timeout=5"},
      {"a", "1"},
      {"Proxy-Connection", "keep-alive"},
      {"Transfer-Encoding", "chunked"},
      {"Upgrade", "h2c"},
      {"b", "2"}},
     "a=1;b=2;"},
    {"fields that Connection names",
     {{"X-Hop", "1"}, {"connection", "x-hop, X-OTHER"}, {"x-other", "2"}, {"x-stays", "3"}},
     "x-stays=3;"},
    {"several Connection fields, odd lists",
     {{"Connection", " , x-a,,"}, {"x-a", "1"}, {"Connection", "x-b\t, keep-alive"}, {"x-b", "2"}},
     ""},
    {"a named field twice", {{"x-a", "1"}, {"x-a", "2"}, {"connection", "x-a"}}, ""},
    {"a known field may be named",
     {{"connection", "accept, user-agent"}, {"Accept", "*/*"}, {"User-Agent", "u"}, {"a", "1"}},
     "a=1;"},
    {"what decides security may not",
     {{"Connection", "Host, Cookie, Authorization, X-Forwarded-For, X-Request-Id, Via, close"},
      {"Cookie", "c"},
      {"Authorization", "s"},
      {"X-Forwarded-For", "1.2.3.4"},
      {"X-Request-Id", "i"},
      {"Via", "1.1 v"}},
     "Cookie=c;Authorization=s;X-Forwarded-For=1.2.3.4;X-Request-Id=i;Via=1.1 v;"},
    {"TE: trailers stays", {{"TE", "Trailers"}, {"Connection", "TE"}}, "TE=Trailers;"},
    {"any other TE goes", {{"TE", "gzip, trailers"}, {"te", "deflate"}, {"a", "1"}}, "a=1;"},
    {"a field called close stays", {{"connection", "close"}, {"close", "1"}}, "close=1;"},
    {"many names",
     {{"connection", "a,b,c,d,e,f,g"}, {"g", "1"}, {"f", "2"}, {"h", "3"}, {"a", "4"}},
     "h=3;"},
};

TEST(RemoveHopByHopTest, Table) {
  for (const Case& c : kCases) {
    HeaderList list;
    for (const auto& [name, value] : c.fields) list.add(name, value);
    removeHopByHop(list);
    std::string kept;
    for (const HeaderField& field : list) {
      kept.append(field.name).append("=").append(field.value).append(";");
    }
    EXPECT_EQ(kept, c.kept) << c.what;
  }
}

// RFC 9110 7.6.1: "any header or trailer section".
TEST(RemoveNamedTest, TrailersLoseWhatTheHeadHasNamed) {
  const Case cases[] = {
      {"nothing named", {{"X-Int", "1"}}, "x-int=t;X-OTHER=t;Server=t;Via=t;"},
      {"options are no fields",
       {{"Connection", "keep-alive, close"}, {"Connection", "Upgrade, TE"}},
       "x-int=t;X-OTHER=t;Server=t;Via=t;"},
      {"one", {{"Connection", "close, X-Int"}}, "X-OTHER=t;Server=t;Via=t;"},
      {"two lists", {{"connection", "x-int"}, {"connection", "x-other"}}, "Server=t;Via=t;"},
      {"a known field", {{"Connection", "server"}}, "x-int=t;X-OTHER=t;Via=t;"},
      {"what decides security", {{"Connection", "via"}}, "x-int=t;X-OTHER=t;Server=t;Via=t;"},
  };
  for (const Case& c : cases) {
    base::Arena arena;
    HeaderList head;
    for (const auto& [name, value] : c.fields) head.add(name, value);
    HeaderList trailers;
    for (const char* name : {"x-int", "X-OTHER", "Server", "Via"}) trailers.add(name, "t");
    removeNamed(namedForTrailers(head, arena), trailers);
    std::string kept;
    for (const HeaderField& field : trailers) {
      kept.append(field.name).append("=").append(field.value).append(";");
    }
    EXPECT_EQ(kept, c.kept) << c.what;
  }
}

TEST(RemoveNamedTest, NothingIsKeptOfAConnectionThatNamesNoField) {
  base::Arena arena;
  HeaderList head;
  head.add("Connection", "keep-alive, Upgrade, TE, Transfer-Encoding, close");
  EXPECT_EQ(namedForTrailers(head, arena), "");
  head.add("Connection", "X-Int");
  EXPECT_NE(namedForTrailers(head, arena), "");
}

TEST(ForEachTokenTest, SplitsAndTrims) {
  std::string seen;
  forEachToken(" a,b ,\t c d\t,, ,e",
               [&seen](std::string_view token) { seen.append("[").append(token).append("]"); });
  EXPECT_EQ(seen, "[a][b][c d][e]");
  forEachToken("", [](std::string_view token) { ADD_FAILURE() << token; });
}

}  // namespace
}  // namespace convoy::http
