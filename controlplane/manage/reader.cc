#include "controlplane/manage/reader.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "controlplane/base/timestamps.h"
#include "controlplane/model/model.h"

namespace convoy::controlplane::manage {

namespace {

constexpr size_t kPageBytes = 1 << 20;
constexpr int kDefaultListPage = 100;
constexpr int kDefaultHistoryPage = 20;
constexpr int kMostPage = 1000;

absl::StatusOr<store::RevisionNumber> resolve(store::Store& store, int64_t revision) {
  if (revision < 0) return absl::OutOfRangeError("a revision is not negative");
  if (revision != 0) return revision;
  return store.head();
}

absl::StatusOr<size_t> pageSize(int32_t asked, int default_size) {
  if (asked < 0 || asked > kMostPage) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_size is ", asked, "; the range is 0 to ", kMostPage));
  }
  return asked == 0 ? default_size : asked;
}

// A stored entry as people see it. A pool gets its backends.
absl::StatusOr<v1::Resource> resourceOf(store::Store& store, store::RevisionNumber revision,
                                        const store::Entry& entry) {
  absl::StatusOr<v1::Resource> resource = model::shown(entry.key, entry.value);
  if (!resource.ok()) return resource.status();
  resource->set_revision(entry.revision);
  if (entry.key.kind != v1::KIND_POOL) return resource;
  store::KeyRange range{.kind = v1::KIND_BACKEND, .prefix = absl::StrCat(entry.key.name, "/")};
  while (true) {
    absl::StatusOr<std::vector<store::Entry>> page = store.read(revision, range, kMostPage);
    if (!page.ok()) return page.status();
    for (const store::Entry& backend : *page) {
      absl::StatusOr<v1::Resource> decoded = model::shown(backend.key, backend.value);
      if (!decoded.ok()) return decoded.status();
      *resource->mutable_pool()->add_backends() = std::move(*decoded->mutable_backend());
    }
    if (page->size() < kMostPage) return resource;
    range.after = page->back().key;
  }
}

// "REVISION:KIND:NAME" in web-safe base64: which state is read, and the last key of the page
// before.
struct PageToken {
  store::RevisionNumber revision = 0;
  store::Key last;

  std::string text() const {
    return absl::WebSafeBase64Escape(absl::StrCat(revision, ":", last.kind, ":", last.name));
  }
  static std::optional<PageToken> parse(const std::string& text) {
    std::string plain;
    if (!absl::WebSafeBase64Unescape(text, &plain)) return std::nullopt;
    const std::vector<std::string> parts = absl::StrSplit(plain, absl::MaxSplits(':', 2));
    PageToken token;
    if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &token.revision) ||
        !absl::SimpleAtoi(parts[1], &token.last.kind)) {
      return std::nullopt;
    }
    token.last.name = parts[2];
    return token;
  }
};

std::vector<int> kindsOf(const v1::ListRequest& request) {
  if (request.kind() != v1::KIND_UNSPECIFIED) return {request.kind()};
  return {v1::KIND_LISTENER, v1::KIND_ROUTE_TABLE, v1::KIND_POOL, v1::KIND_CERTIFICATE};
}

// Fills a page from one kind. True: the page is full.
absl::StatusOr<bool> fillPage(store::Store& store, const store::KeyRange& range, size_t limit,
                              size_t* bytes, PageToken* token, v1::ListResponse* response) {
  const size_t room = limit - response->resources_size();
  absl::StatusOr<std::vector<store::Entry>> entries = store.read(token->revision, range, room + 1);
  if (!entries.ok()) return entries.status();
  for (const store::Entry& entry : *entries) {
    if (static_cast<size_t>(response->resources_size()) == limit || *bytes >= kPageBytes) {
      return true;
    }
    absl::StatusOr<v1::Resource> resource = resourceOf(store, token->revision, entry);
    if (!resource.ok()) return resource.status();
    *bytes += resource->ByteSizeLong();
    token->last = entry.key;
    *response->add_resources() = std::move(*resource);
  }
  return false;
}

absl::StatusOr<v1::Change> changeOf(store::Store& store, const store::LogEntry& entry,
                                    bool contents) {
  v1::Change change;
  change.mutable_id()->set_kind(static_cast<v1::Kind>(entry.key.kind));
  change.mutable_id()->set_name(entry.key.name);
  change.set_operation(!entry.value.has_value() ? v1::Change::DELETED
                       : entry.previous == 0    ? v1::Change::CREATED
                                                : v1::Change::UPDATED);
  if (!contents) return change;
  if (entry.value.has_value()) {
    absl::StatusOr<v1::Resource> after = model::shown(entry.key, *entry.value);
    if (!after.ok()) return after.status();
    *change.mutable_after() = std::move(*after);
    change.mutable_after()->set_revision(entry.revision);
  }
  if (entry.previous != 0) {
    absl::StatusOr<store::Entry> old = store.get(entry.previous, entry.key);
    if (!old.ok()) return old.status();
    absl::StatusOr<v1::Resource> before = model::shown(old->key, old->value);
    if (!before.ok()) return before.status();
    *change.mutable_before() = std::move(*before);
    change.mutable_before()->set_revision(entry.previous);
  }
  return change;
}

v1::Revision revisionOf(const store::RevisionInfo& info) {
  v1::Revision revision;
  revision.set_number(info.number);
  setTimestamp(info.time, revision.mutable_create_time());
  revision.set_author(info.author);
  revision.set_comment(info.comment);
  revision.set_change_count(info.change_count);
  return revision;
}

}  // namespace

absl::StatusOr<v1::GetResponse> get(store::Store& store, const v1::GetRequest& request) {
  absl::StatusOr<store::RevisionNumber> revision = resolve(store, request.revision());
  if (!revision.ok()) return revision.status();
  absl::StatusOr<store::Entry> entry =
      store.get(*revision, {request.id().kind(), request.id().name()});
  if (absl::IsNotFound(entry.status())) {
    return absl::NotFoundError(absl::StrCat("there is no ", model::kindText(request.id().kind()),
                                            " \"", request.id().name(), "\" at revision ",
                                            *revision));
  }
  if (!entry.ok()) return entry.status();
  absl::StatusOr<v1::Resource> resource = resourceOf(store, *revision, *entry);
  if (!resource.ok()) return resource.status();
  v1::GetResponse response;
  *response.mutable_resource() = std::move(*resource);
  response.set_revision(*revision);
  return response;
}

absl::StatusOr<v1::ListResponse> list(store::Store& store, const v1::ListRequest& request) {
  absl::StatusOr<store::RevisionNumber> revision = resolve(store, request.revision());
  if (!revision.ok()) return revision.status();
  absl::StatusOr<size_t> limit = pageSize(request.page_size(), kDefaultListPage);
  if (!limit.ok()) return limit.status();
  PageToken token{*revision, {}};
  if (!request.page_token().empty()) {
    std::optional<PageToken> given = PageToken::parse(request.page_token());
    if (!given.has_value()) {
      return absl::InvalidArgumentError(
          "page_token is not one that List gave; leave it out to read from the start");
    }
    token = std::move(*given);
  }
  v1::ListResponse response;
  response.set_revision(token.revision);
  size_t bytes = 0;
  for (const int kind : kindsOf(request)) {
    if (kind < token.last.kind) continue;
    store::KeyRange range{.kind = kind};
    if (kind == v1::KIND_BACKEND && !request.pool().empty()) {
      range.prefix = absl::StrCat(request.pool(), "/");
    }
    if (token.last.kind == kind) range.after = token.last;
    absl::StatusOr<bool> full = fillPage(store, range, *limit, &bytes, &token, &response);
    if (!full.ok()) return full.status();
    if (*full) {
      response.set_next_page_token(token.text());
      break;
    }
  }
  return response;
}

absl::StatusOr<ChangePage> changes(store::Store& store, store::RevisionNumber number,
                                   const store::KeyRange& range, size_t limit, bool contents) {
  absl::StatusOr<std::vector<store::LogEntry>> entries = store.changes(number, range, limit + 1);
  if (!entries.ok()) return entries.status();
  ChangePage page;
  size_t bytes = 0;
  for (const store::LogEntry& entry : *entries) {
    if (page.changes.size() == limit || bytes >= kPageBytes) {
      page.complete = false;
      break;
    }
    absl::StatusOr<v1::Change> change = changeOf(store, entry, contents);
    if (!change.ok()) return change.status();
    bytes += change->ByteSizeLong();
    page.changes.push_back(std::move(*change));
  }
  return page;
}

absl::StatusOr<v1::Revision> describe(store::Store& store, store::RevisionNumber number) {
  absl::StatusOr<std::vector<store::RevisionInfo>> found = store.revisions(number + 1, {}, 1);
  if (!found.ok()) return found.status();
  if (found->empty() || found->front().number != number) {
    return absl::OutOfRangeError(absl::StrCat("revision ", number, " does not exist"));
  }
  return revisionOf(found->front());
}

absl::StatusOr<v1::HistoryResponse> history(store::Store& store,
                                            const v1::HistoryRequest& request) {
  absl::StatusOr<store::RevisionNumber> head = store.head();
  if (!head.ok()) return head.status();
  absl::StatusOr<size_t> limit = pageSize(request.page_size(), kDefaultHistoryPage);
  if (!limit.ok()) return limit.status();
  store::KeyRange range{.kind = request.id().kind()};
  const std::string& name = request.id().name();
  // "POOL/" stands for all the backends of a pool.
  (absl::EndsWith(name, "/") ? range.prefix : range.name) = name;
  const store::RevisionNumber before =
      request.before_revision() > 0 ? request.before_revision() : *head + 1;
  absl::StatusOr<std::vector<store::RevisionInfo>> infos =
      store.revisions(before, range, *limit + 1);
  if (!infos.ok()) return infos.status();
  v1::HistoryResponse response;
  size_t bytes = 0;
  for (const store::RevisionInfo& info : *infos) {
    if (static_cast<size_t>(response.revisions_size()) == *limit || bytes >= kPageBytes) {
      response.set_next_before_revision(response.revisions().rbegin()->number());
      break;
    }
    absl::StatusOr<ChangePage> page =
        changes(store, info.number, range, kMostListedChanges, request.contents());
    if (!page.ok()) return page.status();
    v1::Revision* revision = response.add_revisions();
    *revision = revisionOf(info);
    for (v1::Change& change : page->changes) *revision->add_changes() = std::move(change);
    bytes += revision->ByteSizeLong();
  }
  return response;
}

}  // namespace convoy::controlplane::manage
