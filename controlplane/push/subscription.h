#pragma once

// What one client of one stream wants of one resource type, what it has, and therefore what it is
// to be sent. Pure state: knows no socket, message or nonce. Not thread-safe.
//
// A client "has" a resource from the moment it is sent to it: whether it then accepts it shows in
// errors(), and a refused version is not sent again until the resource changes.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "api/convoy/ext/resource_error.pb.h"
#include "controlplane/compile/view.h"

namespace convoy::controlplane::push {

enum class Protocol {
  Delta,
  WholeState,  // "state of the world"
};

// A resource that the client refuses.
struct Refusal {
  ext::ResourceError error;
  store::RevisionNumber revision = 0;  // that it was sent with
};

// What to put into one response.
struct Update {
  std::vector<compile::EncodedPtr> resources;
  std::vector<std::string> removed;  // Delta only
};

class Subscription {
 public:
  Subscription(compile::Type type, Protocol protocol) : type_(type), protocol_(protocol) {}

  // What the client wants. It may want everything and single names at a time.
  void wantAll();
  void wantAllNoMore();
  bool wantsAll() const { return wants_all_; }
  // Sends the resource even if the client has it; says so if it does not exist (Delta).
  void want(const std::string& name);
  void wantNoMore(const std::string& name);
  const std::set<std::string>& names() const { return names_; }
  bool wants(absl::string_view name) const;
  bool active() const { return wants_all_ || !names_.empty(); }

  // Sends a resource once more if the client wants and has it.
  void resend(const std::string& name);

  // What a client that comes back says it has. Before want() and wantAll().
  void has(const std::string& name, const std::string& version);

  // What there is from now on. `changed`: the names that differ; null: anything may.
  void setView(compile::ViewPtr view, const std::vector<std::string>* changed);

  // Something new or changed is to be sent; an empty response counts if the client waits for one.
  bool hasAdditions() const { return !additions_.empty() || (owes_response_ && view_ != nullptr); }
  bool hasRemovals() const { return !removals_.empty(); }
  // Something that the client never had is on its way, or will be: who names it has to wait.
  bool bringsNew() const { return new_additions_ > 0 || (in_flight_ && in_flight_->brings_new); }
  bool inFlight() const { return in_flight_.has_value(); }

  // The next response; it is in flight from then on. REQUIRES: !inFlight().
  // Additions of a delta response end at about `most_bytes`; the rest comes in the next one.
  // No value: nothing needs to be said.
  std::optional<Update> takeAdditions(size_t most_bytes);
  std::optional<Update> takeRemovals();

  // The client's answer to what is in flight. `details` says which resources are refused; empty:
  // the client did not say, only `message`.
  void accepted();
  void refused(const std::vector<ext::ResourceError>& details, absl::string_view message);

  // By resource name; "" for refusals without one.
  const std::map<std::string, Refusal>& refusals() const { return refusals_; }

 private:
  struct InFlight {
    std::vector<std::string> names;
    bool brings_new = false;
    store::RevisionNumber revision = 0;
  };

  // Decides anew whether a name has to be added or removed.
  void evaluate(const std::string& name);
  void evaluateAll();
  void setAddition(const std::string& name, bool is_new);
  void clearAddition(const std::string& name);
  void setHeld(const compile::EncodedPtr& resource);
  // Every resource that a whole-state response has to carry: what is wanted, and what the client
  // has and may keep for now.
  std::vector<compile::EncodedPtr> wholeState(bool with_removals) const;
  // Whether absence from a whole-state response means removal.
  bool absenceRemoves() const;

  const compile::Type type_;
  const Protocol protocol_;
  compile::ViewPtr view_;

  bool wants_all_ = false;
  bool owes_response_ = false;
  std::set<std::string> names_;
  std::set<std::string> told_missing_;  // names_ that the client was told do not exist

  compile::ResourceMap held_;
  std::map<std::string, bool> additions_;  // name -> the client never had it
  size_t new_additions_ = 0;
  std::set<std::string> resends_;  // additions_ whose version the client has
  std::set<std::string> removals_;
  std::optional<InFlight> in_flight_;
  std::map<std::string, Refusal> refusals_;
};

}  // namespace convoy::controlplane::push
