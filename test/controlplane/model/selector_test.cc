#include "controlplane/model/selector.h"

#include <gtest/gtest.h>

namespace convoy::controlplane::model {
namespace {

v1::NodeSelector selector(const Labels& labels) {
  v1::NodeSelector out;
  out.mutable_labels()->insert(labels.begin(), labels.end());
  return out;
}

TEST(SelectorTest, SelectsByEveryLabel) {
  struct Case {
    Labels wanted;
    Labels node;
    bool selected;
  };
  const Case cases[] = {
      {{}, {}, true},
      {{}, {{"a", "1"}}, true},
      {{{"a", "1"}}, {{"a", "1"}, {"b", "2"}}, true},
      {{{"a", "1"}}, {{"a", "2"}}, false},
      {{{"a", "1"}}, {}, false},
      {{{"a", "1"}, {"b", "2"}}, {{"a", "1"}}, false},
  };
  for (const Case& c : cases) EXPECT_EQ(selects(selector(c.wanted), c.node), c.selected);
}

TEST(SelectorTest, OverlapsUnlessALabelContradicts) {
  struct Case {
    Labels a;
    Labels b;
    bool overlap;
  };
  const Case cases[] = {
      {{}, {}, true},
      {{}, {{"a", "1"}}, true},
      {{{"a", "1"}}, {{"b", "1"}}, true},
      {{{"a", "1"}}, {{"a", "2"}}, false},
      {{{"a", "1"}, {"b", "1"}}, {{"b", "2"}}, false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(mayOverlap(selector(c.a), selector(c.b)), c.overlap);
    EXPECT_EQ(mayOverlap(selector(c.b), selector(c.a)), c.overlap);
  }
}

}  // namespace
}  // namespace convoy::controlplane::model
