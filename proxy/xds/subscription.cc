#include "proxy/xds/subscription.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "proxy/base/assert.h"
#include "proxy/base/field_report.h"
#include "proxy/base/strings.h"

namespace convoy::xds {

using base::toAbsl;
using envoy::service::discovery::v3::Resource;

namespace {

// The readable part of a NACK: enough for a person, each detail is in the details.
constexpr size_t kErrorsInMessage = 3;
constexpr size_t kMostMessageBytes = 4096;
// gRPC servers take 4 MiB as a rule. A NACK above that would end the stream, and so would the next.
constexpr size_t kMostDetailBytes = 1024 * 1024;

std::string describe(const std::vector<ext::ResourceError>& errors) {
  std::string text;
  for (size_t i = 0; i < std::min(errors.size(), kErrorsInMessage); ++i) {
    const ext::ResourceError& error = errors[i];
    absl::StrAppend(&text, i == 0 ? "" : "; ", error.name(), error.field_path().empty() ? "" : ": ",
                    error.field_path(), ": ", error.reason());
  }
  if (errors.size() > kErrorsInMessage) {
    absl::StrAppend(&text, "; and ", errors.size() - kErrorsInMessage, " more");
  }
  return text;
}

// Names that a response mentions more than once, whether as changed or as removed.
std::set<std::string, std::less<>> namesMentionedTwice(const DeltaResponse& response) {
  std::set<std::string_view> seen;
  std::set<std::string, std::less<>> twice;
  for (const Resource& resource : response.resources()) {
    if (!seen.insert(resource.name()).second) twice.insert(resource.name());
  }
  // Removing a name twice says nothing new.
  const std::set<std::string_view> removed(response.removed_resources().begin(),
                                           response.removed_resources().end());
  for (const std::string_view name : removed) {
    if (seen.contains(name)) twice.emplace(name);
  }
  return twice;
}

}  // namespace

void setAnswer(const std::string& nonce, const std::vector<ext::ResourceError>& errors,
               DeltaRequest* request) {
  request->set_response_nonce(nonce);
  if (errors.empty()) return;
  google::rpc::Status* status = request->mutable_error_detail();
  status->set_code(static_cast<int>(absl::StatusCode::kInvalidArgument));
  status->set_message(std::string(base::firstBytes(describe(errors), kMostMessageBytes)));
  size_t room = kMostDetailBytes;
  for (const ext::ResourceError& error : errors) {
    const size_t size = error.ByteSizeLong();
    if (size > room) break;
    room -= size;
    status->add_details()->PackFrom(error);
  }
}

Subscription::Subscription(std::string type_url, Interest interest)
    : type_url_(std::move(type_url)), interest_(interest) {}

void Subscription::subscribe(std::string_view name) {
  CONVOY_ASSERT(interest_ == Interest::Named);
  wanted_.emplace(name);
  // Also for a name that this stream knows: whoever asks again has dropped the resource, and the
  // control plane must send it once more.
  to_subscribe_.emplace(name);
  if (const auto found = to_unsubscribe_.find(name); found != to_unsubscribe_.end()) {
    to_unsubscribe_.erase(found);
  }
}

void Subscription::unsubscribe(std::string_view name) {
  CONVOY_ASSERT(interest_ == Interest::Named);
  if (const auto found = wanted_.find(name); found != wanted_.end()) wanted_.erase(found);
  if (const auto found = held_.find(name); found != held_.end()) held_.erase(found);
  if (const auto found = to_subscribe_.find(name); found != to_subscribe_.end()) {
    to_subscribe_.erase(found);
  }
  if (told_.contains(name)) to_unsubscribe_.emplace(name);
}

void Subscription::onStreamStarted() {
  spoken_ = false;
  answers_.clear();
  told_.clear();
  to_unsubscribe_.clear();
  to_subscribe_ = wanted_;
}

Update Subscription::onResponse(const DeltaResponse& response) {
  CONVOY_ASSERT(response_ == nullptr);
  response_ = &response;
  refused_.clear();
  envelope_errors_.clear();
  for (const std::string& name : namesMentionedTwice(response)) {
    refuse(name, "", "duplicate", name, "the response names this resource more than once");
  }
  Update update;
  for (const Resource& resource : response.resources()) {
    // Not asked for (any more): a push that crossed our unsubscription.
    if (interest_ == Interest::Named && !wanted_.contains(resource.name())) continue;
    if (!refused_.contains(resource.name())) checkResource(resource, &update);
  }
  std::set<std::string_view> removed;
  for (const std::string& name : response.removed_resources()) {
    const bool known = held_.contains(name) || wanted_.contains(name);
    if (known && !refused_.contains(name) && removed.insert(name).second) {
      update.removed.push_back(name);
    }
  }
  return update;
}

void Subscription::checkResource(const Resource& resource, Update* update) {
  const std::string& name = resource.name();
  const auto held = held_.find(name);
  if (name.empty()) {
    refuse("", "name", "required", "", "a resource without a name cannot be kept");
  } else if (resource.has_resource_name()) {
    refuse(name, "resource_name", "unsupported_field", "",
           "variants by dynamic parameters were not asked for; use name");
  } else if (resource.has_ttl()) {
    refuse(name, "ttl", "unsupported_field", absl::StrCat(resource.ttl().seconds(), "s"),
           "resources do not expire here; leave ttl out");
  } else if (!resource.has_resource()) {
    // A heartbeat.
    const bool current =
        held != held_.end() && held->second.accepted && held->second.version == resource.version();
    if (!current) refuse(name, "resource", "required", "", "the resource itself is missing");
  } else if (resource.resource().type_url() != type_url_) {
    refuse(name, "resource", "type_mismatch", resource.resource().type_url(),
           absl::StrCat("the response is about ", type_url_));
  } else {
    update->changed.push_back({name, resource.version(), &resource.resource()});
  }
}

void Subscription::refuse(std::string_view name, std::string_view field_path, std::string_view rule,
                          std::string_view value, std::string reason) {
  refused_.emplace(name);
  ext::ResourceError error;
  error.set_type_url(type_url_);
  error.set_name(std::string(name));
  error.set_field_path(std::string(field_path));
  error.set_rule(std::string(rule));
  error.set_value(base::shownValue(value));
  error.set_reason(std::move(reason));
  envelope_errors_.push_back(std::move(error));
}

std::vector<ext::ResourceError> Subscription::finish(std::vector<ext::ResourceError> errors) {
  CONVOY_ASSERT(response_ != nullptr);
  std::vector<ext::ResourceError> all = std::move(envelope_errors_);
  std::move(errors.begin(), errors.end(), std::back_inserter(all));
  envelope_errors_.clear();
  for (const ext::ResourceError& error : all) refused_.insert(error.name());
  for (const Resource& resource : response_->resources()) {
    const std::string& name = resource.name();
    if (refused_.contains(name)) continue;
    if (interest_ == Interest::Named && !wanted_.contains(name)) continue;
    held_[name] = {.version = resource.version(), .accepted = true, .last_error = {}};
  }
  for (const std::string& name : response_->removed_resources()) {
    if (!refused_.contains(name)) held_.erase(name);
  }
  // Backwards, so that the first error of a resource stays.
  for (auto error = all.rbegin(); error != all.rend(); ++error) {
    if (!error->name().empty()) held_[error->name()].last_error = describe({*error});
  }
  // Nothing was asked on this stream. An answer would be this type's first message, and mean a
  // subscription to everything.
  if (spoken_) answers_.push_back({response_->nonce(), all});
  response_ = nullptr;
  return all;
}

std::optional<DeltaRequest> Subscription::nextRequest() {
  const bool names_due = !to_subscribe_.empty() || !to_unsubscribe_.empty();
  // The first message of a type with an empty list of names would mean all of them.
  const bool first_due = !spoken_ && (interest_ == Interest::All || !to_subscribe_.empty());
  const bool due = spoken_ ? names_due || !answers_.empty() : first_due;
  if (!due) return std::nullopt;

  DeltaRequest request;
  request.set_type_url(type_url_);
  if (!spoken_) addFirstWords(&request);
  spoken_ = true;
  for (const std::string& name : to_subscribe_) {
    request.add_resource_names_subscribe(name);
    told_.insert(name);
  }
  for (const std::string& name : to_unsubscribe_) {
    request.add_resource_names_unsubscribe(name);
    told_.erase(name);
  }
  to_subscribe_.clear();
  to_unsubscribe_.clear();
  if (!answers_.empty()) {
    setAnswer(answers_.front().nonce, answers_.front().errors, &request);
    answers_.pop_front();
  }
  return request;
}

void Subscription::addFirstWords(DeltaRequest* request) const {
  for (const auto& [name, held] : held_) {
    if (held.accepted) (*request->mutable_initial_resource_versions())[name] = held.version;
  }
}

size_t Subscription::acceptedCount() const {
  return static_cast<size_t>(std::count_if(held_.begin(), held_.end(),
                                           [](const auto& held) { return held.second.accepted; }));
}

}  // namespace convoy::xds
