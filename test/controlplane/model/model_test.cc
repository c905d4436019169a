#include "controlplane/model/model.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "controlplane/store/sqlite_store.h"
#include "test/controlplane/common/temporary_folder.h"

namespace convoy::controlplane::model {
namespace {

v1::Listener listener(const std::string& name) {
  v1::Listener out;
  out.set_name(name);
  out.set_address("127.0.0.1:80");
  return out;
}
v1::RouteTable table(const std::string& name) {
  v1::RouteTable out;
  out.set_name(name);
  return out;
}
v1::Pool pool(const std::string& name) {
  v1::Pool out;
  out.set_name(name);
  return out;
}
v1::Backend backend(const std::string& pool, const std::string& address, uint32_t weight = 1) {
  v1::Backend out;
  out.set_pool(pool);
  out.set_address(address);
  out.set_weight(weight);
  return out;
}

std::vector<store::Write> everything() {
  return {writeOf(listener("l")),
          writeOf(table("t")),
          writeOf(pool("p")),
          writeOf(pool("q")),
          writeOf(backend("p", "10.0.0.1:80")),
          writeOf(backend("p", "unix:/a/b"))};
}

std::string text(const Model& model) {
  std::string out = absl::StrCat(model.revision, ":");
  for (const store::Key& key : keysOf(model)) absl::StrAppend(&out, " ", key.name);
  return out;
}

TEST(ModelTest, BackendsAreKeysOfTheirOwn) {
  EXPECT_EQ(keyOf(backend("p", "unix:/a/b")).name, "p/unix:/a/b");
  EXPECT_EQ(poolOfBackend("p/unix:/a/b"), "p");
  EXPECT_EQ(poolOfBackend("p"), "p");
}

TEST(ModelTest, WritesMakeAndUnmakeResources) {
  const auto full = applied(Model{}, 1, everything());
  ASSERT_TRUE(full.ok()) << full.status();
  EXPECT_EQ(text(*full), "1: l t p q p/10.0.0.1:80 p/unix:/a/b");

  const auto changed = applied(*full, 2,
                               {writeOf(backend("p", "10.0.0.1:80", 7)),
                                {{v1::KIND_LISTENER, "l"}, std::nullopt},
                                {{v1::KIND_ROUTE_TABLE, "t"}, std::nullopt},
                                {{v1::KIND_POOL, "q"}, std::nullopt},
                                {{v1::KIND_BACKEND, "p/unix:/a/b"}, std::nullopt}});
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(text(*changed), "2: p p/10.0.0.1:80");
  EXPECT_EQ(changed->pools.at("p")->backends.at("10.0.0.1:80")->weight(), 7u);
  // A model is a value: the one before is as it was.
  EXPECT_EQ(text(*full), "1: l t p q p/10.0.0.1:80 p/unix:/a/b");
  EXPECT_EQ(full->pools.at("p")->backends.at("10.0.0.1:80")->weight(), 1u);
}

TEST(ModelTest, SharesWhatDoesNotChange) {
  const auto before = applied(Model{}, 1, everything());
  const auto after = applied(*before, 2, {writeOf(backend("p", "10.0.0.9:80"))});
  EXPECT_EQ(before->pools.at("q"), after->pools.at("q"));
  EXPECT_NE(before->pools.at("p"), after->pools.at("p"));
  EXPECT_EQ(before->pools.at("p")->pool, after->pools.at("p")->pool);
}

TEST(ModelTest, GivesBackTheStoredBytes) {
  const auto model = applied(Model{}, 1, everything());
  for (const store::Write& write : everything()) {
    EXPECT_EQ(bytesOf(*model, write.key), write.value);
  }
  const store::Key missing[] = {
      {v1::KIND_LISTENER, "x"},          {v1::KIND_ROUTE_TABLE, "x"}, {v1::KIND_POOL, "x"},
      {v1::KIND_BACKEND, "p/1.2.3.4:5"}, {v1::KIND_BACKEND, "p"},     {v1::KIND_BACKEND, "x/y"},
      {v1::KIND_UNSPECIFIED, "p"},
  };
  for (const store::Key& key : missing) EXPECT_EQ(bytesOf(*model, key), std::nullopt) << key.name;
}

TEST(ModelTest, RefusesWhatCannotHaveBeenStored) {
  const std::vector<std::vector<store::Write>> cases = {
      {{{v1::KIND_LISTENER, "l"}, "\xff\xff"}},
      {{{v1::KIND_ROUTE_TABLE, "other"}, table("t").SerializeAsString()}},
      {{{v1::KIND_POOL, "p"}, "\x08"}},
      {{{v1::KIND_BACKEND, "p/1.2.3.4:5"}, "\x08"}},
      {{{77, "p"}, ""}},
      {writeOf(backend("nowhere", "10.0.0.1:80"))},
  };
  for (const auto& writes : cases) {
    EXPECT_TRUE(absl::IsDataLoss(applied(Model{}, 1, writes).status()));
  }
}

TEST(ModelTest, LoadsTheHeadOfAStore) {
  const TemporaryFolder folder;
  auto store = store::SqliteStore::open({.path = folder.file("model.db"), .vfs = ""});
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(text(*load(**store)), "0:");
  std::vector<store::Write> writes = everything();
  // More than a page.
  for (int i = 0; i < 2500; ++i) {
    writes.push_back(writeOf(backend("q", absl::StrCat("10.0.0.1:", i + 1))));
  }
  ASSERT_TRUE((*store)->commit(0, {}, writes).ok());
  const auto model = load(**store);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->revision, 1);
  EXPECT_EQ(model->pools.at("q")->backends.size(), 2500u);
  EXPECT_EQ(model->listeners.size(), 1u);
}

}  // namespace
}  // namespace convoy::controlplane::model
